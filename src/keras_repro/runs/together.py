"""Read the files of a folder together: another may take its place between one and the next."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from keras_repro.errors import MissingError, UnreadableError

Read = TypeVar("Read")
ATTEMPTS = 20
PATIENCE = 0.3  # seconds: two renames take far less, and a killed writer left the folder aside
PAUSE = 0.002


def together(folder: Path, read: Callable[[], Read], is_aside: Callable[[], bool]) -> Read:
    """Return what ``read`` reads of ``folder``, of one and the same.

    A training and accept put a new folder in the place of the old one in one step. Where that
    happened meanwhile, ``read`` is called anew, also where it raised. Where the platform has no
    such step, there is none in that place for a moment: while ``is_aside`` says that the old one is
    aside, the next is waited for, 0.3 seconds in all.
    """
    until = None
    for _ in range(ATTEMPTS - 1):
        before = _which(folder)
        try:
            result = read()
        except (MissingError, UnreadableError):
            until = until or time.monotonic() + PATIENCE
            if _which(folder) == before and not (
                before is None and _comes(folder, is_aside, until)
            ):
                raise
            continue
        if _which(folder) == before:
            return result
    return read()


def _comes(folder: Path, is_aside: Callable[[], bool], until: float) -> bool:
    """Whether a folder that was absent is there by now, or in the moment that it is aside."""
    while is_aside() and _which(folder) is None:
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE)
    return _which(folder) is not None


def _which(folder: Path) -> tuple[int, ...] | None:
    try:
        status = folder.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns
