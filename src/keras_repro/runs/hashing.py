"""The SHA-256 of a file, as run.json and baseline.json state it."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, or None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
