"""Call a function as soon as a module has been imported, whoever imports it."""

from __future__ import annotations

import contextlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence

from keras_repro.recorder.collection import FRAMEWORKS, paused

Hook = Callable[[ModuleType], None]


class ImportHooks(MetaPathFinder):
    """Finds a module as the other finders do, and runs its hook once its code has run.

    Frameworks are found too, for the collector to pause while they are imported.
    """

    def __init__(self, hooks: Dict[str, Hook], before: List[Dict[str, Callable[[], None]]]) -> None:
        self.hooks = dict(hooks)
        self.before = before

    def find_spec(self, name: str, path: Any, target: Any = None) -> Optional[ModuleSpec]:
        """Return the spec another finder gives for ``name``, with the hook tied to its loader."""
        if name not in self.hooks and name not in FRAMEWORKS:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                self._run_after(spec.loader, name)
                return spec
        return None

    def _run_after(self, loader: Any, name: str) -> None:
        exec_module = loader.exec_module

        def exec_then_hook(module: ModuleType) -> None:
            for table in self.before:
                if name in table:
                    table[name]()
            with paused() if name in FRAMEWORKS else contextlib.nullcontext():
                exec_module(module)
            hook = self.hooks.pop(name, None)  # once: a module may be looked up and not run
            if hook is not None:
                hook(module)

        loader.exec_module = exec_then_hook


def install(
    tables: List[Dict[str, Hook]], before: Sequence[Dict[str, Callable[[], None]]] = ()
) -> None:
    """Have each hook called with its module, once, right after the module's first import.

    Of several tables with a hook for the same module, the first's is called first. What is imported
    already has its hook called now. ``before`` has what to call just before a module's code runs.
    """
    hooks = {name: _in_turn(tables, name) for table in tables for name in table}
    for name in set(hooks) & set(sys.modules):
        hooks[name](sys.modules[name])
    later = {name: hook for name, hook in hooks.items() if name not in sys.modules}
    sys.meta_path.insert(0, ImportHooks(later, list(before)))


def _in_turn(tables: List[Dict[str, Hook]], name: str) -> Hook:
    def call(module: ModuleType) -> None:
        for table in tables:
            if name in table:
                table[name](module)

    return call
