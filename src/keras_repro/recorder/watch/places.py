"""Where in the script's own code something is called."""

from __future__ import annotations

import sys
from typing import Any, Iterator, Tuple

OF_KERAS = ("keras", "tensorflow", "tensorflow_core")  # the packages with a Keras in them
OURS = "keras_repro"
CONSTRUCTORS = ("__new__", "__init__", "wrapper")


def script_place() -> Tuple[str, int]:
    """Return the file and the line of the innermost code that is neither Keras' nor ours."""
    for package, frame in _frames():
        if package not in OF_KERAS and package != OURS:
            return frame.f_code.co_filename, frame.f_lineno
    return "", 0


def called_by_keras() -> bool:
    """Whether the innermost code that is not ours is Keras'."""
    for package, _ in _frames():
        if package != OURS:
            return package in OF_KERAS
    return False


def made_by_script() -> bool:
    """Whether there are but constructors of Keras' between this and the script's own code."""
    for package, frame in _frames():
        if package in OF_KERAS and frame.f_code.co_name not in CONSTRUCTORS:
            return False
        if package not in OF_KERAS and package != OURS:
            return True
    return False


def _frames() -> Iterator[Tuple[str, Any]]:
    """Yield the package and the frame of each caller, the innermost first."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        yield str(frame.f_globals.get("__name__", "")).partition(".")[0], frame
        frame = frame.f_back
