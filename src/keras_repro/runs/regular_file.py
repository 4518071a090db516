"""Open regular files only, without waiting for a pipe or a device that stands in their place."""

import os
import stat
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
