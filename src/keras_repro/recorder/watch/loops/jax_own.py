"""Which code is the script's own, and what is said of a function of its."""

from __future__ import annotations

import functools
import os
import sysconfig
from types import CodeType
from typing import Any, Callable, Dict, Optional

import keras_repro.recorder
from keras_repro.recorder.arrays import CannotWriteError
from keras_repro.recorder.watch.capture import HAND_OVER, Capture

MARK = "_keras_repro_traced"  # on a function of the script's that is compiled


class Own:
    """Tells code of the script's own from that of libraries and of parity's, by their folders."""

    def __init__(self, library: Any) -> None:
        paths = sysconfig.get_paths()
        folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        folders.add(os.path.dirname(os.path.dirname(library.__file__)))
        # What else of ours is between the script and JAX acts for the script.
        folders.add(os.path.join(os.path.dirname(keras_repro.recorder.__file__), "parity"))
        self._folders = tuple(folder + os.sep for folder in folders)
        self._known: Dict[CodeType, bool] = {}

    def has(self, frame: Any) -> bool:
        """Whether the code of a frame is the script's own."""
        code = frame.f_code
        own = self._known.get(code)
        if own is None:
            own = not os.path.abspath(code.co_filename).startswith(self._folders)
            self._known[code] = own
        return own


class Careful:
    """Does what must not end the script, and says what could not be seen of a loop."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def do(self, function: Any, what: Callable[..., Any], *args: Any) -> bool:
        """Do it for a function of the script's; where that goes wrong, say so and return False."""
        try:
            what(*args)
            return True
        except CannotWriteError:
            raise
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            self.unseen(function, "could not be followed (%s)" % text[:200])
            return False

    def unseen(self, function: Any, why: str) -> None:
        """Say that what a function differentiates was not seen; not of what Keras trains."""
        if not self._capture.running.in_keras:
            what = "the losses of %s were not seen: what it differentiates %s; %s"
            self._capture.loop_unseen(what % (_place(function), why, HAND_OVER))


def like(function: Any) -> Callable[[Any], Any]:
    """Return a decorator that makes a wrapper look like the function."""

    def decorate(wrapper: Any) -> Any:
        wrapper = functools.wraps(function)(wrapper)
        vars(wrapper).pop(MARK, None)
        if not hasattr(function, "__name__"):  # a partial, an object that can be called
            name = getattr(_plain(function), "__name__", type(function).__name__)
            wrapper.__name__ = wrapper.__qualname__ = name
        return wrapper

    return decorate


def _plain(function: Any) -> Any:
    """Return the function that a partial or a wrapper is made of."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _place(function: Any) -> str:
    """Return a function's name and where it stands."""
    function = _plain(function)
    code: Optional[CodeType] = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", type(function).__name__).replace("<locals>.", "")
    if code is None:
        return str(name)
    return "%s (%s:%d)" % (name, os.path.basename(code.co_filename), code.co_firstlineno)
