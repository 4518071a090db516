"""Read the files of a folder together: another may take its place between one and the next."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from keras_repro.errors import MissingError, UnreadableError

Read = TypeVar("Read")
ATTEMPTS = 20


def together(folder: Path, read: Callable[[], Read]) -> Read:
    """Return what ``read`` reads of ``folder``, of one and the same.

    A training and accept put a new folder in the place of the old one in one step. Where that
    happened meanwhile, ``read`` is called anew, also where it raised.
    """
    for _ in range(ATTEMPTS - 1):
        before = _which(folder)
        try:
            result = read()
        except (MissingError, UnreadableError):
            if _which(folder) == before:
                raise
            continue
        if _which(folder) == before:
            return result
    return read()


def _which(folder: Path) -> tuple[int, ...] | None:
    try:
        status = folder.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns
