"""A folder for the time of a run: gone with it, and where a run was killed, with a later one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from typing import Iterator

from keras_repro.recorder import removal

PREFIX = "keras-repro-"
YOUNG_SECONDS = 60  # one that is just being made is not held yet


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """Give a new folder, which is removed whatever is in it; remove those of killed runs.

    Whoever works in one holds a lock on it, which ends with the process.
    """
    _collect()
    folder = tempfile.mkdtemp(prefix=PREFIX)
    with removal.opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            # What it was for stands or does not; a later run removes what is left.
            with contextlib.suppress(OSError):
                removal.remove(folder)


def _collect() -> None:
    """Remove the folders that nobody holds any more."""
    place = tempfile.gettempdir()
    with contextlib.suppress(OSError), removal.opened(place) as parent:
        for name in os.listdir(parent):
            if name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    _remove_if_left(name, parent, os.path.join(place, name))


def _remove_if_left(name: str, parent: int, path: str) -> None:
    with removal.opened(name, parent) as folder:
        status = os.fstat(folder)
        if status.st_uid != os.geteuid() or time.time() - status.st_mtime < YOUNG_SECONDS:
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        removal.remove(path)
