"""What a script imported of what is installed: for a process that imports it beforehand."""

from __future__ import annotations

import os
import re
import sys
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any, Callable, Dict, List, Mapping, Optional

from keras_repro.recorder.collection import FRAMEWORKS
from keras_repro.recorder.messages import LONGEST_TEXT

NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
MOST_NAMES, LONGEST_NAME = 20000, 200
OWN = "keras_repro"


class Imported(MetaPathFinder):
    """What this process imports from now on, and the variables that the script sets before that.

    It finds nothing itself: it hears what is looked for, in the order in which imports begin. In
    ``sys.modules`` they stand in the order in which they end.
    """

    def __init__(self) -> None:
        self._names: Dict[str, None] = {}
        sys.meta_path.insert(0, self)
        self._environment = dict(os.environ)
        self._variables: Optional[Dict[str, Optional[str]]] = None

    def find_spec(self, name: str, *_others: Any) -> None:
        """Take note of a module that is looked for."""
        self._names.setdefault(name)

    def before(self) -> Dict[str, Callable[[], None]]:
        """Return what to do before a framework is imported."""
        return dict.fromkeys(FRAMEWORKS, self._framework_begins)

    def _framework_begins(self) -> None:
        if self._variables is None:
            self._variables = changes(self._environment, os.environ)

    def told(self) -> Dict[str, Any]:
        """Return what the supervisor is told: modules in the order of their imports, variables."""
        roots = {os.path.join(os.path.realpath(p), "") for p in (sys.prefix, sys.base_prefix)}
        names: List[str] = []
        for name in filter(is_name, list(self._names)):
            module = sys.modules.get(name)
            path = vars(module).get("__file__") if isinstance(module, ModuleType) else None
            if isinstance(path, str) and os.path.realpath(path).startswith(tuple(roots)):
                names.append(name)
        variables = self._variables or {}
        texts = [text for pair in variables.items() for text in pair if text is not None]
        if any(len(text) > LONGEST_TEXT for text in texts):  # none that could be told
            return {}
        return {"imports": names[:MOST_NAMES], "variables": variables}


def apply(variables: Mapping[str, Optional[str]]) -> None:
    """Change this process' environment so, see ``changes``."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def is_name(name: str) -> bool:
    """Whether it is the name of a module of somebody else's."""
    own = name == OWN or name.startswith(OWN + ".")
    return len(name) <= LONGEST_NAME and not own and NAME.fullmatch(name) is not None


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Dict[str, Optional[str]]:
    """Return the variables of an environment that are others in another one, None: it has none."""
    found = {name: value for name, value in after.items() if before.get(name) != value}
    return dict(found, **dict.fromkeys(set(before) - set(after)))
