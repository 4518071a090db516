"""Import what a script will import, hide it, and bring it back in each fork as imports would.

In a fork of this process the script finds nothing imported. Where it imports what is hidden, all
that this import had made is there again; what it drew from the generators is drawn anew, frameworks
are seeded, and the trail is told, in the order of the real imports.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from keras_repro.recorder.collection import FRAMEWORKS
from keras_repro.recorder.drawing import Drawing, Drawn, draw
from keras_repro.recorder.imported import apply, changes, is_name
from keras_repro.recorder.trail.generators import now, states

if TYPE_CHECKING:
    from keras_repro.recorder.watching import Watching

BEGINS, ENDS, REST = "begins", "ends", "rest"
KEPT = "\0"  # no value of a variable: it is not changed


class CannotForkError(Exception):
    """A fork would not be as a process of its own; the message says why."""


class Step(NamedTuple):
    """A framework's import begins or ends, or an import is done; and what was drawn until then."""

    kind: str
    name: str
    drew: List[Drawn]


class Root(NamedTuple):
    """What one import made: modules, steps, and variables that it set."""

    modules: Dict[str, Any]
    steps: List[Step]
    variables: Dict[str, Optional[str]]
    paths: List[str]  # that it adds to sys.path
    printed: bytes


class Preloading:
    """Imports modules beforehand, and takes note of what that does."""

    def __init__(self, printed: Callable[[], bytes] = bytes) -> None:
        """Begin; ``printed`` returns what this process printed since it was called last."""
        self.roots: List[Root] = []
        self._printed = printed
        self._steps: List[Step] = []
        self._last = now()
        self._drawing = Drawing()
        self._seeded: Dict[str, str] = {}
        self._problem = ""

    def begins(self, name: str) -> None:
        """Take note that the import of a module begins that a fork has to do something with."""
        self._note(BEGINS, name)

    def ends(self, name: str, seeded: bool) -> None:
        """Take note that it ends, and whether a generator of its own was seeded now."""
        self._note(ENDS, name)
        if seeded:
            self._seeded[name] = states().get(name, "")

    def preload(self, names: Sequence[str]) -> None:
        """Import modules, in this order.

        What cannot be imported is left to the script.

        Raises:
            CannotForkError: what that does cannot be done again in a fork.
        """
        with self._drawing.noted():
            for name in filter(is_name, names):
                if name not in sys.modules:
                    self._import(name)
        self._check()

    def _import(self, name: str) -> None:
        there, environment, paths = set(sys.modules), dict(os.environ), list(sys.path)
        self._steps, self._last = [], now()
        with contextlib.suppress(Exception):
            importlib.import_module(name)
        self._note(REST, name)
        if _threads() > 1:
            self._problem = self._problem or "importing %s starts a thread" % name
        made = {n: sys.modules[n] for n in list(sys.modules) if n not in there and is_name(n)}
        added = [path for path in sys.path if path not in paths]
        variables = changes(environment, os.environ)
        self.roots.append(Root(made, self._steps, variables, added, self._printed()))

    def _note(self, kind: str, name: str) -> None:
        drew, leads = self._drawing.since(self._last)
        if not leads:
            self._problem = self._problem or "what importing %s draws is not known" % name
        self._steps.append(Step(kind, name, drew))
        self._last = now()

    def _check(self) -> None:
        there = states() if self._seeded else {}
        for name, digest in self._seeded.items():
            if there.get(name, "") != digest:
                self._problem = "an import draws from the generator of %s" % name
        if self._problem:
            raise CannotForkError(self._problem)


def _threads() -> int:
    """Return how many threads this process has, those that no Python knows of among them."""
    return len(os.listdir("/proc/self/task"))


class Hidden(MetaPathFinder, Loader):
    """Keeps what was imported out of sight, and brings it back once it is imported again.

    In the process that forks nobody imports; ``begin`` is called in each fork.
    """

    def __init__(self, roots: Sequence[Root], variables: Mapping[str, Optional[str]]) -> None:
        """``variables`` are what the script sets before it imports, None: it removes it."""
        self._root_of = {name: root for root in roots for name in root.modules}
        self._variables = dict(variables)
        added = {path for root in roots for path in root.paths}
        sys.path[:] = [path for path in sys.path if path not in added]
        for name, root in self._root_of.items():
            del sys.modules[name]
            parent, leaf = _parent(name)
            if parent not in root.modules:  # else the attribute is a part of what comes back
                self._unbind(parent, leaf, root.modules[name])
        sys.meta_path.insert(0, self)

    def begin(self, told: Watching, give_up: Callable[[str], None]) -> None:
        """Tell the steps of each import, as a real import would, from now on.

        ``give_up`` is called, with the reason, where the script sets other variables before it
        imports: the imports may have read them.
        """
        self._told, self._give_up = told, give_up
        self._environment: Optional[Dict[str, str]] = dict(os.environ)

    def find_spec(self, name: str, *_others: Any) -> Optional[ModuleSpec]:
        """Return the spec of a module that is hidden: where it lies is asked for, too."""
        if name not in self._root_of:
            return None
        real = getattr(self._root_of[name].modules[name], "__spec__", None)
        spec = ModuleSpec(name, self, origin=getattr(real, "origin", None))
        spec.submodule_search_locations = getattr(real, "submodule_search_locations", None)
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Bring back what the import of a module had made; it is in ``sys.modules`` then."""
        assert module.__spec__ is not None
        root = self._root_of[module.__spec__.name]
        if any(step.name in FRAMEWORKS for step in root.steps):
            self._check_environment()
        os.write(1, root.printed)
        for name, known in root.modules.items():
            self._root_of.pop(name)
            sys.modules[name] = known
            parent, leaf = _parent(name)
            if parent in sys.modules and parent not in root.modules:
                setattr(sys.modules[parent], leaf, known)
        sys.path += [path for path in root.paths if path not in sys.path]
        apply(root.variables)
        for step in root.steps:
            draw(step.drew)
            if step.kind == BEGINS:
                self._told.begins(step.name)
            elif step.kind == ENDS:
                self._told.ends(step.name, sys.modules[step.name])

    def _check_environment(self) -> None:
        if self._environment is None:  # it was looked at
            return
        found, self._environment = changes(self._environment, os.environ), None
        for name in sorted(set(found) | set(self._variables)):
            if found.get(name, KEPT) != self._variables.get(name, KEPT):
                self._give_up("it sets %s otherwise before it imports" % name)

    def _unbind(self, parent: str, leaf: str, module: Any) -> None:
        root = self._root_of.get(parent)
        there = sys.modules.get(parent) if root is None else root.modules[parent]
        if isinstance(there, ModuleType) and vars(there).get(leaf) is module:
            delattr(there, leaf)


def _parent(name: str) -> Tuple[str, str]:
    parent, _, leaf = name.rpartition(".")
    return parent, leaf
