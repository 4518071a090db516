"""Files that the script opened for reading: those that were there before it began."""

from __future__ import annotations

import builtins
import functools
import hashlib
import io
import itertools
import os
import threading
import time
from typing import Any, Callable, Set

from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import DIGEST_BYTES

MOST_BYTES = 64 << 20  # of a larger file, the beginning and its size
PIECE = 1 << 20
MOST_FILES = 200
CLOCK_SECONDS = 0.05  # by which a file system's clock may be late
NO_DATA = (".py", ".pyc", ".so", "/.keras/keras.json")


class Files:
    """Tells of each file once, when it is first opened: below the script's folder, or its home."""

    def __init__(
        self, trail: Trail, folder: str, home: str, steps: Callable[[], int] = lambda: 0
    ) -> None:
        self._steps = steps
        self._trail = trail
        self._roots = (("", folder), ("~", home))
        self._seen: Set[str] = set()
        self._started = time.time() - CLOCK_SECONDS

    def watch(self) -> None:
        """Watch ``open`` from now on."""
        given_open = builtins.open

        @functools.wraps(given_open)
        def call(file: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:
            opened = given_open(file, mode, *args, **kwargs)
            if isinstance(mode, str) and not set(mode) & set("wax+"):
                self._look_at(file, given_open)
            return opened

        builtins.open = io.open = call

    def _look_at(self, file: Any, given_open: Any) -> None:
        try:
            # No link is followed: the script's folder is a view, whose files are links.
            path = os.path.abspath(os.fsdecode(file))
            if path in self._seen or path.endswith(NO_DATA):
                return
            begin, root = next(one for one in self._roots if path.startswith(one[1] + os.sep))
            # Threads read ahead, as many as the machine is quick.
            if threading.current_thread() is not threading.main_thread():
                return
            self._seen.add(path)
            if len(self._seen) > MOST_FILES:
                self._trail.left_out += 1
                return
            status = os.stat(path)
            if max(status.st_mtime, status.st_ctime) > self._started:  # the script wrote it
                return
            made = hashlib.blake2b(digest_size=DIGEST_BYTES)
            with given_open(path, "rb") as content:
                pieces = iter(lambda: content.read(PIECE), b"")
                for piece in itertools.islice(pieces, MOST_BYTES // PIECE):
                    made.update(piece)
        except (OSError, TypeError, ValueError, StopIteration):  # a number, say, or gone again
            return
        name = os.path.join(begin, os.path.relpath(path, root))
        self._trail.add(
            "file", self._steps(), path=name, bytes=status.st_size, digest=made.hexdigest()
        )
