"""The SHA-256 of a file, as run.json and baseline.json state it."""

import errno
import hashlib
import os
from pathlib import Path

from keras_repro.errors import UnreadableError
from keras_repro.runs.regular_file import Held, NotRegularError

# No file can be there: run.json may name anything.
IMPOSSIBLE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def file_sha256(file: Path | Held) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, or None where there is no such file.

    Raises:
        UnreadableError: there is one, and it cannot be read.
    """
    held = file if isinstance(file, Held) else Held(file)
    try:
        with os.fdopen(held.descriptor(), "rb") as opened:
            opened.seek(0)  # whoever read it before moved the same place
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except (NotRegularError, ValueError):
        return None
    except OSError as error:
        if error.errno in IMPOSSIBLE:
            return None
        raise UnreadableError(
            f"cannot read {held.path}: {error.strerror or error}; mend its permissions or its disk"
        ) from None
