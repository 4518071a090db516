"""Keep a script from writing over what is the user's, where no container does.

The folder that a script runs in has links to large files and to data. In a container they lead to
read-only mounts. On the user's own machine, Python's audit hooks (PEP 578) tell of every file that
Python opens, removes or renames; what would change a file of the user's fails as it does there.
What a library opens in C, by a link to a large file, is out of their reach.
"""

from __future__ import annotations

import builtins
import errno
import os
import sys
from typing import Any, Callable, List, Sequence

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events whose first argument, and second for some, is a name that goes or changes.
ENTRIES = {
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.mkdir": 1,
    "os.truncate": 1,
    "os.chmod": 1,
}
FUNCTIONS = {"remove": 1, "unlink": 1, "rename": 2, "replace": 2, "rmdir": 1, "truncate": 1}


def protect(folders: Sequence[str], except_below: Sequence[str]) -> None:
    """Refuse to write below these folders from now on, but for what lies below the others."""
    guarded = [os.path.realpath(folder) for folder in folders]
    free = [os.path.realpath(folder) for folder in except_below]

    def check(path: Any, entry: bool) -> None:
        if isinstance(path, int):
            return
        name = os.fspath(path)
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        if entry:  # the link itself, not what it leads to
            parent, last = os.path.split(os.path.abspath(name))
            place = os.path.join(os.path.realpath(parent), last)
        else:
            place = os.path.realpath(name)
        if _below(place, guarded) and not _below(place, free):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)

    if hasattr(sys, "addaudithook"):
        sys.addaudithook(_hook(check))
    else:
        _wrap(check)


def _hook(check: Callable[[Any, bool], None]) -> Callable[[str, Any], None]:
    def hook(event: str, args: Any) -> None:
        if event == "open":
            path, mode, flags = args
            if flags & WRITING or (mode and any(letter in mode for letter in "wax+")):
                check(path, False)
        elif event in ENTRIES:
            for path in args[: ENTRIES[event]]:
                check(path, event not in ("os.truncate", "os.chmod"))

    return hook


def _wrap(check: Callable[[Any, bool], None]) -> None:
    """Python 3.7 has no audit hooks: see what the script calls by name."""
    open_file = builtins.open

    def checked_open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if any(letter in mode for letter in "wax+"):
            check(file, False)
        return open_file(file, mode, *args, **kwargs)

    builtins.open = checked_open
    for name, count in FUNCTIONS.items():
        setattr(os, name, _checked(getattr(os, name), count, name != "truncate", check))


def _checked(function: Any, count: int, entry: bool, check: Callable[[Any, bool], None]) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        for path in args[:count]:
            check(path, entry)
        return function(*args, **kwargs)

    return call


def _below(path: str, folders: List[str]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)
