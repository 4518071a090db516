"""Where in the script something happens, and what is said where it could not be seen."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Callable

from keras_repro.recorder.watch.attempt import attempt
from keras_repro.recorder.watch.capture import Capture

NOT_THE_SCRIPTS = ("keras", "keras_repro", "tensorflow", "tensorflow_core", "theano")
LIBRARIES = ("contextlib", "functools", "threading")
WRITTEN = re.compile(r"tmp\w{8}\.py")  # a file of TensorFlow's, into which it translates a function


def place() -> str:
    """Return the script's line that runs now, as ``file:line``; what it called is left out."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None:
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        file = os.path.basename(frame.f_code.co_filename)
        if name not in NOT_THE_SCRIPTS + LIBRARIES and not WRITTEN.fullmatch(file):
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


def safely(capture: Capture, function: Callable[..., Any], *args: Any) -> Any:
    """Call what is ours, and return what it does; an error of it must not end a script.

    Raises:
        CannotWriteError: the disk is full.
    """

    def failed(error: Exception) -> None:
        capture.loop_unseen(
            "%s: what is trained here could not be watched (%s); hand each cost over by "
            "keras_repro.record.cost" % (place(), type(error).__name__)
        )

    return attempt(failed, function, *args)
