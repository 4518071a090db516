"""The SHA-256 of a file, as run.json and baseline.json state it."""

import errno
import hashlib
import os
from pathlib import Path

from keras_repro.errors import UnreadableError
from keras_repro.runs.regular_file import NotRegularError, open_regular

# No file can be there: run.json may name anything.
IMPOSSIBLE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def file_sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, or None where there is no such file.

    Raises:
        UnreadableError: there is one, and it cannot be read.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (NotRegularError, ValueError):
        return None
    except OSError as error:
        if error.errno in IMPOSSIBLE:
            return None
        raise UnreadableError(
            f"cannot read {path}: {error.strerror or error}; mend its permissions or its disk"
        ) from None
