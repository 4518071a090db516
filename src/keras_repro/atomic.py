"""Write a file whole or not at all; and write temporary ones."""

import errno
import glob
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from keras_repro.errors import CannotWriteError

STAGED = ".partial"


def write_whole(path: Path, content: bytes) -> None:
    """Replace ``path`` in one step; what is no file, a pipe say, is written into.

    Raises:
        CannotWriteError: it cannot be written; what was there is untouched.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        place = path.resolve()  # through a link, not over it
        place.parent.mkdir(parents=True, exist_ok=True)
        _collect(place)
        # Of this thread's own: another may be writing the same.
        writer = f"{os.getpid()}-{threading.get_ident()}"
        staging = place.with_name(f".{place.name}.{writer}{STAGED}")
        try:
            with staging.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(
                    file.fileno()
                )  # else, where the power fails, an empty file takes its place
            staging.replace(place)
        except BaseException:
            with suppress(OSError):
                staging.unlink()
            raise
    except OSError as error:
        raise CannotWriteError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def temporary(what: str) -> Iterator[None]:
    """Say of the temporary folder that ``what`` cannot be done there, and of no other file.

    Raises:
        CannotWriteError: it is full, or cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO:  # a broken disk is not what is full: it may be another's
            raise
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "the temporary folder")
        raise CannotWriteError(
            f"cannot {what} in {folder}: {error.strerror or error}; make room there, or set TMPDIR "
            "to another folder"
        ) from None


def _collect(place: Path) -> None:
    """Remove what writers of ``place`` that were killed have left beside it."""
    for left in place.parent.glob(f".{glob.escape(place.name)}.*-*{STAGED}"):
        with suppress(OSError, ValueError):
            process = int(left.name.removeprefix(f".{place.name}.").partition("-")[0])
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                left.unlink()
