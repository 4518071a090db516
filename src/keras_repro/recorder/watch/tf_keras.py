"""Watch TensorFlow 1's own Keras, ``tf.keras``, as the other one is watched."""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any, Callable, Dict

from keras_repro.recorder.watch import changes
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.keras_methods import KerasMethods
from keras_repro.recorder.watch.loops.place import safely


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once TensorFlow has been imported: nothing, unless it is TensorFlow 1."""

    def tensorflow(module: ModuleType) -> None:
        if module.__version__.startswith("1."):
            safely(capture, lambda: _watch(capture, module.keras))

    return {"tensorflow": tensorflow}


def _watch(capture: Capture, keras: Any) -> None:
    changes.watch(capture, keras)
    _before_clear_session(capture)
    KerasMethods(capture, keras, probe=None).watch()
    _use_with_first_model(capture, keras)


def _use_with_first_model(capture: Capture, keras: Any) -> None:
    """Take it for the script's Keras once the first model is one of it.

    Not at its import: the other Keras imports it too.
    """
    make = keras.Model.__init__

    @functools.wraps(make)
    def call(model: Any, *args: Any, **kwargs: Any) -> None:
        if not capture.models.made:
            capture.use(keras)
        make(model, *args, **kwargs)

    keras.Model.__init__ = call


def _before_clear_session(capture: Capture) -> None:
    """Watch it under its other names: the other Keras calls the one that TensorFlow itself has."""
    inner: Any = sys.modules["tensorflow.python.keras.backend"]
    clear_session = inner.clear_session

    @functools.wraps(clear_session)
    def call() -> Any:
        capture.guarded("last weights", capture.models.settle_all)
        return clear_session()

    for name, module in list(sys.modules.items()):
        named_so = name.startswith("tensorflow.") and name.endswith("keras.backend")
        if named_so and getattr(module, "clear_session", None) is clear_session:
            module.clear_session = call  # type: ignore[attr-defined]
