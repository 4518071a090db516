"""Plant a change of a known size in a training, to see whether it is seen in the numbers.

Each is made once: to the first weight, the first batch normalization, the first data that Keras
trains with, and the optimizer of the first model that it trains. In a loop of the script's own,
data and optimizer are not seen, and nothing is made of these.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy

from keras_repro.recorder.plants import DATUM, EPSILON, LEARNING_RATE, WEIGHT
from keras_repro.recorder.watch.ulps import is_real

Arguments = Tuple[Tuple[Any, ...], Dict[str, Any]]


class Planted:
    """What is to be planted, {name: by how much}, and where it was: ``where``, in words."""

    def __init__(self, asked: Mapping[str, str]) -> None:
        self._left = {name: float(value) for name, value in asked.items()}
        self.where: Dict[str, str] = {}

    def weight(self, value: Any) -> Any:
        """Return a first value of a weight, one element of it changed; as it is where none is."""
        if WEIGHT not in self._left:
            return value
        found = numpy.asarray(value)
        if found.ndim < 2 or not is_real(found):
            return value
        changed = self._changed(WEIGHT, found, "a weight of shape %s" % (found.shape,))
        return value if changed is found else changed

    def watch(self, keras: Any) -> None:
        """Change the first batch normalization before it computes, while no graph has it."""
        if EPSILON not in self._left:
            return
        layer_class = keras.layers.BatchNormalization
        build = layer_class.build

        @functools.wraps(build)
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if EPSILON in self._left:
                before = layer.epsilon
                layer.epsilon = before * (1 + self._left.pop(EPSILON))
                self._tell(EPSILON, "%s: %r -> %r" % (layer.name, before, layer.epsilon))
            return build(layer, *args, **kwargs)

        layer_class.build = call

    def before_training(
        self, keras: Any, model: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Arguments:
        """Change the optimizer of a model; return the arguments to train it with."""
        if LEARNING_RATE in self._left:
            by = 1 + self._left.pop(LEARNING_RATE)
            self._tell(LEARNING_RATE, _learning_rate(keras, model, by))
        if DATUM not in self._left:
            return args, kwargs
        given = args[0] if args else kwargs.get("x")
        first = given[0] if isinstance(given, (list, tuple)) and given else given
        if not isinstance(first, numpy.ndarray) or not is_real(first):
            return args, kwargs
        changed: Any = self._changed(DATUM, first, "the training data")
        if isinstance(given, (list, tuple)):
            changed = type(given)([changed, *given[1:]])
        if args:
            return (changed, *args[1:]), kwargs
        return args, dict(kwargs, x=changed)

    def _changed(self, name: str, value: Any, what: str) -> Any:
        """Return a value with one element changed: the first from the middle on that is not 0."""
        flat = numpy.array(value).reshape(-1)
        places = numpy.flatnonzero((flat != 0) & numpy.isfinite(flat))
        if not places.size:
            return value
        place = places[numpy.searchsorted(places, flat.size // 2) % places.size]
        before = flat[place]
        flat[place] = before * (1 + self._left.pop(name))
        text = "element %d of %s: %r -> %r" % (place, what, float(before), float(flat[place]))
        self._tell(name, text if flat[place] != before else None)
        return flat.reshape(value.shape)

    def _tell(self, name: str, where: Optional[str]) -> None:
        if where is not None:
            self.where[name] = where


def _learning_rate(keras: Any, model: Any, factor: float) -> Optional[str]:
    """Change the learning rate of a model's optimizer; None where it has none that is a number."""
    optimizer: Any = getattr(model, "optimizer", None)
    if keras.__version__.startswith("2."):
        variable = getattr(optimizer, "lr", getattr(optimizer, "learning_rate", None))
        if variable is None:
            return None
        before = float(keras.backend.get_value(variable))
        keras.backend.set_value(variable, before * factor)
        after = float(keras.backend.get_value(variable))
    else:
        if not hasattr(getattr(optimizer, "_learning_rate", None), "assign"):  # a schedule
            return None
        before = float(numpy.asarray(optimizer.learning_rate))
        optimizer.learning_rate = before * factor
        after = float(numpy.asarray(optimizer.learning_rate))
    return "%s: %r -> %r" % (type(optimizer).__name__, before, after) if before != after else None
