"""Open regular files only, without waiting for a pipe or a device that stands in their place."""

import os
import stat
import weakref
from pathlib import Path


def open_regular(path: Path, flags: int = 0) -> int:
    """Return a descriptor to read ``path`` by; ``flags`` are more of os.open's.

    Raises:
        OSError, ValueError: it cannot be opened.
        NotRegularError: it is a folder, a pipe or a device.
    """
    # Not to wait for the writer of a pipe that lies there.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(f"{path} is no file")
    return descriptor


class NotRegularError(OSError):
    """It is a folder, a pipe or a device."""


class Held:
    """A regular file as it stands now, to be read later: another may take its place meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; where it cannot be opened, descriptor() says why."""
        self.path = path
        self._descriptor = -1
        self._error: OSError | ValueError | None = None
        try:
            self._descriptor = open_regular(path)
        except (OSError, ValueError) as error:
            self._error = error.with_traceback(None)  # which would keep its callers' files open
        else:
            weakref.finalize(self, os.close, self._descriptor)

    def descriptor(self) -> int:
        """Return a descriptor of the file, which the caller closes.

        Raises:
            OSError, ValueError, NotRegularError: it could not be opened.
        """
        if self._error is not None:
            raise type(self._error)(*self._error.args)
        return os.dup(self._descriptor)
