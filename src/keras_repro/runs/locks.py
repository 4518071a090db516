"""Locks between commands. They are the kernel's, and end with whoever holds them."""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from keras_repro.errors import CannotWriteError

BUSY = (errno.EAGAIN, errno.EACCES)
ATTEMPTS, MOMENT_SECONDS = 200, 0.001  # to make a folder that others remove just then


@contextmanager
def locked(path: Path, on_wait: Callable[[], None], shared: bool = False) -> Iterator[None]:
    """Hold the lock file ``path``, alone or with others that share it.

    ``on_wait`` is called once, before waiting. The file goes with its last holder, and so do the
    folders that were made for it, where nothing was written into them.

    Raises:
        OSError: it cannot be made or locked.
    """
    made = [parent for parent in path.parents if not parent.exists()]
    descriptor = _lock(path, on_wait, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody shares it
            path.unlink()  # before the lock ends: whoever waits for this file makes another
        os.close(descriptor)
        with suppress(OSError):
            for parent in made:
                parent.rmdir()


@contextmanager
def locked_folder(folder: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on writing ``folder``, as a training holds that of its run folder.

    Raises:
        CannotWriteError: the folder cannot be locked.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder.with_name(f".{folder.name}.lock"), on_wait))
        except OSError as error:
            raise CannotWriteError(
                f"cannot lock {folder}: {error.strerror or error}; nothing was written: mend the "
                "permissions there, or name another folder"
            ) from None
        yield


def _lock(path: Path, on_wait: Callable[[], None], how: int) -> int:
    """Return the descriptor that holds the lock: of the file that ``path`` is by then."""
    while True:
        descriptor = _opened(path)
        try:
            _wait(descriptor, on_wait, how)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _opened(path: Path) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o644)
        except (FileExistsError, FileNotFoundError):  # it goes, and comes again, in between
            if attempt == ATTEMPTS:
                raise
            time.sleep(MOMENT_SECONDS)
    raise AssertionError


def _wait(descriptor: int, on_wait: Callable[[], None], how: int) -> None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in BUSY:
            raise
        on_wait()
        fcntl.flock(descriptor, how)
