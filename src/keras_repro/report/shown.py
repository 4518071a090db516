"""What a run shows besides its numbers: the pictures and the log of the script."""

import os
import re
from pathlib import Path

from keras_repro.recorder import contract
from keras_repro.report.text import visible
from keras_repro.runs.regular_file import open_regular
from keras_repro.runs.run import Run

LOG_BYTES, LOG_LINES = 8_000, 40
CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # ECMA-48, 5.4
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def read_png(path: Path, most_bytes: int) -> bytes | None:
    """Return the PNG in a file of the run's own, None where it is none or is too large."""
    content = _read(path, most_bytes + 1)
    if content is None or len(content) > most_bytes:
        return None
    return content if content.startswith(PNG_MAGIC) else None


def log_tail(run: Run) -> str:
    """Return the last lines of a run's log, fit to be shown."""
    content = _read(run.folder / contract.LOG, LOG_BYTES, at_end=True) or b""
    lines = content.decode("utf-8", "replace").split("\n")
    return "\n".join(visible(as_shown(line).expandtabs()) for line in lines[-LOG_LINES:])


def as_shown(line: str) -> str:
    """Return a line as a terminal leaves it: colours gone, backspaces and returns carried out."""
    shown: list[str] = []
    place = 0
    for character in CONTROL_SEQUENCE.sub("", line):
        if character == "\b":
            place = max(place - 1, 0)
        elif character == "\r":
            place = 0
        else:
            shown[place : place + 1] = [character]
            place += 1
    return "".join(shown)


def _read(path: Path, most: int, at_end: bool = False) -> bytes | None:
    """Return at most so many bytes of a file, None where it is none that can be read."""
    try:
        # No link is followed, so nothing outside of the run gets into the page.
        with open(open_regular(path, os.O_NOFOLLOW), "rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - most, 0) if at_end else 0)
            return file.read(most)
    except OSError:
        return None
