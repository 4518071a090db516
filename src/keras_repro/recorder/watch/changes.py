"""Watch what makes weights and what changes them, so that their first values are kept before."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from keras_repro.recorder.watch.capture import INITIAL, Capture
from keras_repro.recorder.watch.sessions import is_eager

SEEN = "_keras_repro_seen"  # set on a variable of Keras 3 once it was changed


def watch(capture: Capture, keras: ModuleType) -> None:
    """Watch a Keras (2.3.1 or 3)."""
    _after_add_weight(capture, keras)
    if keras.__version__.startswith("2."):
        for name in ("set_value", "batch_set_value"):
            _before(capture, keras.backend, name)
        # Only TensorFlow 1 makes a model's weights unreadable; elsewhere it lives on.
        if hasattr(keras.backend, "clear_session"):
            _before_clear_session(capture, keras)
    else:
        _before_assign(capture, keras)
        _before_apply(capture, keras)


def _after_add_weight(capture: Capture, keras: ModuleType) -> None:
    layer_class: Any = keras.layers.Layer
    add_weight = layer_class.add_weight
    # In a graph of TensorFlow 1 a variable has no value until a session initializes it.
    in_graph = keras.__version__.startswith("2.") and keras.backend.backend() == "tensorflow"

    @functools.wraps(add_weight)
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        variable = add_weight(layer, *args, **kwargs)
        capture.guarded(
            INITIAL, capture.models.weight_made, variable, not in_graph or is_eager(variable)
        )
        return variable

    layer_class.add_weight = call


def _before(capture: Capture, owner: Any, name: str) -> None:
    function = getattr(owner, name)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        capture.before_update()
        return function(*args, **kwargs)

    setattr(owner, name, call)


def _before_assign(capture: Capture, keras: ModuleType) -> None:
    variable_class: Any = keras.Variable
    assign = variable_class.assign

    @functools.wraps(assign)
    def call(variable: Any, value: Any) -> Any:
        if SEEN not in vars(variable):
            setattr(variable, SEEN, True)
            capture.before_update()
        return assign(variable, value)

    variable_class.assign = call


def _before_apply(capture: Capture, keras: ModuleType) -> None:
    """Look once more before an optimizer's first step: PyTorch's change weights in their place."""
    optimizer_class: Any = keras.optimizers.Optimizer
    apply = optimizer_class.apply

    @functools.wraps(apply)
    def call(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        capture.before_update(again=SEEN not in vars(optimizer))
        vars(optimizer)[SEEN] = True
        return apply(optimizer, *args, **kwargs)

    optimizer_class.apply = call


def _before_clear_session(capture: Capture, keras: ModuleType) -> None:
    clear_session = keras.backend.clear_session

    @functools.wraps(clear_session)
    def call() -> Any:
        capture.guarded("last weights", capture.models.settle_all)
        return clear_session()

    keras.backend.clear_session = call
