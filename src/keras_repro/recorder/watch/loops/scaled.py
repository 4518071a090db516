"""Losses that an optimizer scales up before they are differentiated, as mixed precision asks for.

The loss is what was given to be scaled. A tensor that was made of it by ``scale_loss`` of Keras 3
or by PyTorch's ``GradScaler`` carries it. JAX's tracers carry nothing: there the frames know it.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Iterator, Tuple

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.trouble import said

GIVEN = "_keras_repro_given"  # set on a tensor


def loss_of(tensor: Any) -> Any:
    """Return the loss that was scaled to make this tensor; itself where none was."""
    while True:
        given = getattr(tensor, GIVEN, None)
        if given is None:
            return tensor
        tensor = given


def carry(scaled: Any, loss: Any) -> None:
    """Have what was scaled carry the loss of which it was made, for as long as it lives."""
    setattr(scaled, GIVEN, loss)


def watch_keras(capture: Capture, keras: Any, note: Callable[[Any, Any], None] = carry) -> None:
    """Watch the optimizers of a Keras 3: ``note`` is called with what was scaled, and the loss."""
    scaling = getattr(getattr(keras, "mixed_precision", None), "LossScaleOptimizer", object)
    for owner in keras.optimizers.Optimizer.__mro__ + scaling.__mro__:
        if "scale_loss" in vars(owner):
            watch(capture, owner, "scale_loss", note)


def watch(capture: Capture, owner: Any, name: str, note: Callable[[Any, Any], None]) -> None:
    """Watch a method that scales a loss, or several. What is watched already is so once."""
    scale = vars(owner)[name]
    if hasattr(scale, GIVEN):
        return

    @functools.wraps(scale)
    def call(scaler: Any, losses: Any) -> Any:
        result = scale(scaler, losses)
        with said(capture):
            for scaled, loss in _pairs(result, losses):
                note(scaled, loss)
        return result

    setattr(call, GIVEN, None)
    setattr(owner, name, call)


def _pairs(scaled: Any, given: Any) -> Iterator[Tuple[Any, Any]]:
    if isinstance(given, (list, tuple)) and isinstance(scaled, (list, tuple)):
        for pair in zip(scaled, given):
            yield from _pairs(*pair)
    elif scaled is not given:
        yield scaled, given
