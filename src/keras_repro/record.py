"""For a training loop of one's own, which calls no Keras method that keras-repro could watch.

Three functions that keep a number under the recorder, and do nothing elsewhere::

    from keras_repro import record

    for x, y in batches:
        record.cost(step(x, y))
    record.prediction(model(x))
    record.array("gradient/norms", norms)

Values may be numbers, NumPy arrays, or tensors that hold values (not those of a graph being
traced). Once one of them was called, the final weights of the script's models are kept too,
whether or not a Keras method used them. Needs NumPy alone, and not even that outside the recorder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras_repro.recorder import active

if TYPE_CHECKING:
    from typing import Literal  # which Python 3.7 has not


def cost(value: Any, kind: Literal["train", "test"] = "train") -> None:
    """Keep a cost, one number, as the next of ``costs/train``, or of ``costs/test``.

    Raises:
        ValueError: it is no number, or ``kind`` is neither ``train`` nor ``test``.
    """
    if active.capture is not None:
        active.capture.record_cost(value, kind)


def prediction(value: Any) -> None:
    """Keep what a model predicted as ``predictions/<n>``, counted from 0.

    Raises:
        ValueError: it holds no numbers.
    """
    if active.capture is not None:
        active.capture.record_prediction(value)


def array(name: str, value: Any) -> None:
    """Keep any array of numbers under ``name``: letters, digits and ``. _ - /``.

    Raises:
        ValueError: the name has other characters or was kept already, or the value holds no
            numbers.
    """
    if active.capture is not None:
        active.capture.record_array(name, value)
