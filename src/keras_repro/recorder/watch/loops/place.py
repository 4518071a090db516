"""Where in the script something happens."""

from __future__ import annotations

import os
import sys
from typing import Any

NOT_THE_SCRIPTS = ("keras", "keras_repro", "tensorflow", "tensorflow_core", "theano")
LIBRARIES = ("contextlib", "functools", "threading")


def place() -> str:
    """Return the script's line that runs now, as ``file:line``; what it called is left out."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None:
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name not in NOT_THE_SCRIPTS and name not in LIBRARIES:
            break
        frame = frame.f_back
    path = os.path.realpath(frame.f_code.co_filename)
    script = getattr(sys.modules.get("__main__"), "__file__", None) or path
    beside = os.path.relpath(path, os.path.dirname(os.path.realpath(script)))
    name = os.path.basename(path) if beside.startswith(os.pardir) else beside
    return "%s:%d" % (name, frame.f_lineno)


def not_among_outputs(what: str) -> str:
    """Return the line on a loss that trains, and that ``what`` at this place does not return."""
    return (
        "%s: %s trains by a loss that it does not return; hand each cost over by "
        "keras_repro.record.cost" % (place(), what)
    )
