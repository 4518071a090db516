"""The end of the script's process: what it holds is let go of, as Python does at its end."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import sys
import threading
from types import ModuleType
from typing import Any, Callable


def let_go_at_exit(folder: str) -> None:
    """Let go of what the script and the modules below ``folder`` hold, once all else is done.

    Files that it never closed are written then, and ``__del__`` is called. Python does so with the
    module that it began with, which the script is not; of any other it depends on the release.
    """
    atexit.register(_let_go, folder)  # the first that is registered is called last


def end(status: int, exit_at_once: Callable[[int], Any]) -> None:
    """End as the interpreter does, but for taking apart all that was imported."""
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for kind in (io.TextIOWrapper, io.IOBase):  # text is written to what is buffered
        for stream in _streams(kind):
            with contextlib.suppress(BaseException):  # closed, or taken away
                stream.flush()
    exit_at_once(status)


def _streams(kind: type) -> list[Any]:
    found = []
    for one in gc.get_objects():
        with contextlib.suppress(BaseException):  # of an object that stands for another
            if isinstance(one, kind):
                found.append(one)
    return found


def _let_go(folder: str) -> None:
    for name, module in list(sys.modules.items()):
        if _is_own(name, module, folder):
            with contextlib.suppress(BaseException):
                _clear(vars(module))
    with contextlib.suppress(BaseException):
        gc.collect()


def _clear(names: dict[str, Any]) -> None:
    """Clear a module as Python does, names with one underscore first: Objects/moduleobject.c."""
    for private in (True, False):
        for name in list(names):
            is_private = name[:1] == "_" and name[1:2] != "_"
            if is_private == private and name != "__builtins__":
                names[name] = None


def _is_own(name: str, module: Any, folder: str) -> bool:
    """Whether a module is the script, or one from beside it."""
    if name == "__main__":
        return True
    path = vars(module).get("__file__") if isinstance(module, ModuleType) else None
    return isinstance(path, str) and os.path.abspath(path).startswith(folder + os.sep)
