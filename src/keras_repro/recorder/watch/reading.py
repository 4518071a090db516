"""Read what weights are now."""

from __future__ import annotations

from typing import Any, Iterator, List

from keras_repro.recorder.weights import put_value, value_of


class Reading:
    """Reads weights by the script's Keras, wherever it runs now."""

    def __init__(self, keras: Any) -> None:
        self.keras = keras

    def each(self, variables: List[Any], last: bool = False) -> Iterator[Any]:  # noqa: ARG002
        """Yield the value of each variable, None for one that has none.

        A value may be a window on memory that changes: use it before the next. ``last`` asks for
        what it was at the end of its training, not for what it is before a training.
        """
        for variable in variables:
            try:
                value = value_of(self.keras, variable)
            except (RuntimeError, ValueError):  # given away by a loop, on JAX
                value = None
            yield value
            value = None  # before the next is read

    def put(self, variable: Any, value: Any) -> None:
        """Give a variable a value of its own shape and dtype, unseen by what watches it."""
        if hasattr(variable, "_direct_assign"):  # Keras 3
            put_value(self.keras, variable, value)
        else:
            variable.set_value(value)  # Theano

    def prepare_last(self) -> None:
        """Make ready to read for the last time: what the script does next sees nothing of it."""

    def let_go(self) -> None:
        """Let go of whatever is held for models that are gone."""

    def forget(self) -> None:
        """Let go of all that is held: nothing will be read again of what there is now."""
