"""What lies in a folder that others may write and tidy up meanwhile."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def states(folder: Path) -> Iterator[os.stat_result]:
    """Yield the status of each file and link below a folder; what is gone by then is left out."""
    for place, _, names in os.walk(folder):  # which passes over folders that are gone
        for name in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                yield os.lstat(os.path.join(place, name))
