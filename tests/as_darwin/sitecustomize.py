"""Take away what Linux has and macOS has not, in this process; Python imports it where it starts.

``KERAS_REPRO_TEST_AS=darwin`` has conftest.py import it, and put its folder on the PYTHONPATH of
what the tests start. The platform stays Linux's by name, since the standard library goes by it.
"""

import os
import posix
import sys

FUNCTIONS = ("sched_getaffinity", "sched_setaffinity")
SYMBOLS = ("mallopt", "prctl", "renameat2")
PROC = "/proc"


def refuse(event: str, arguments: tuple) -> None:
    """Fail as macOS would: an audit hook, https://docs.python.org/3/library/audit_events.html."""
    if event == "ctypes.dlsym" and arguments[1] in SYMBOLS:
        raise AttributeError(f"no symbol {arguments[1]}")
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes):
        place = os.fsdecode(arguments[0])
        if place == PROC or place.startswith(PROC + "/"):
            raise FileNotFoundError(2, "No such file or directory", place)


if hasattr(os, FUNCTIONS[0]):  # once in a process
    for name in FUNCTIONS:
        delattr(os, name)
        delattr(posix, name)
    sys.addaudithook(refuse)
