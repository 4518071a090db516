"""Switch off what draws inside the graph: no two frameworks draw the same."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Callable, Dict, List

# Attributes that say how much a layer draws.
AMOUNTS = ("rate", "stddev", "dropout", "recurrent_dropout")
RANDOM_LAYERS = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
    *("GaussianDropout", "GaussianNoise", "LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell"),
    *("SimpleRNNCell", "ConvLSTM2D", "ConvLSTM2DCell", "ConvLSTM1D", "ConvLSTM3D"),
    *("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"),
)


def _middle(given: Dict[str, Any]) -> Any:
    low, high = given.get("minval", 0.0), given.get("maxval", 1.0)
    return (low + high) / 2.0


def _whole_middle(given: Dict[str, Any]) -> Any:
    return (given.get("minval", 0) + given.get("maxval", 1)) // 2


# Functions of keras.backend (Keras 2) and of keras.random (Keras 3) that draw an array of a shape,
# with what stands for a draw: its mean, from the arguments.
DRAWS: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "random_normal": lambda given: given.get("mean", 0.0),
    "normal": lambda given: given.get("mean", 0.0),
    "truncated_normal": lambda given: given.get("mean", 0.0),
    "random_uniform": _middle,
    "uniform": _middle,
    "random_binomial": lambda given: given.get("p", 0.0),
    "randint": _whole_middle,
    "binomial": lambda given: given["counts"] * given["probabilities"],
    "beta": lambda given: given["alpha"] / (given["alpha"] + given["beta"]),
    "gamma": lambda given: given["alpha"],
}
UNCHANGED = ("dropout", "shuffle")  # what they are given first stays as it is
INTEGERS = ("randint", "categorical")


class Randomness:
    """Switches it off, and keeps in words what was: ``found``."""

    def __init__(self) -> None:
        self.found: List[str] = []

    def switch_off(self, keras: Any) -> None:
        """Do so for every layer that is made from now on, and for ``fit``'s shuffling."""
        for name in RANDOM_LAYERS:
            quiet: Any = getattr(keras.layers, name, None)
            if quiet is not None:
                quiet.__init__ = self._quiet(quiet.__init__)
        for name in dir(keras.layers):
            drawing: Any = getattr(keras.layers, name)
            if name.startswith("Random") and hasattr(drawing, "call"):
                drawing.call = self._as_in_inference(drawing.call, name)
        model_class = keras.models.Model
        model_class.fit = self._in_order(model_class.fit)
        if hasattr(model_class, "fit_generator"):
            model_class.fit_generator = self._in_order(model_class.fit_generator)
        for place in (keras.backend, getattr(keras, "random", None)):
            for name in (*DRAWS, *UNCHANGED, "categorical"):
                if place is not None and hasattr(place, name):
                    setattr(place, name, self._constant(getattr(place, name), name, keras))

    def _note(self, text: str) -> None:
        if text not in self.found:
            self.found.append(text)

    def _quiet(self, init: Callable[..., Any]) -> Any:
        note = self._note

        @functools.wraps(init)
        def call(self: Any, *args: Any, **kwargs: Any) -> None:
            layer = self
            init(layer, *args, **kwargs)
            for part in (layer, getattr(layer, "cell", None)):
                for name in AMOUNTS:
                    amount = getattr(part, name, None)
                    if isinstance(amount, (int, float)) and amount > 0:
                        try:
                            setattr(part, name, 0.0)
                        except AttributeError:  # what a layer only passes on to its cell
                            continue
                        kind = type(layer).__name__
                        note("%s %s of %g in %s" % (kind, name, amount, layer.name))

        # Keras 3 asks __init__ for its arguments by getfullargspec, which sees through no wrapper.
        call.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
        return call

    def _as_in_inference(self, method: Callable[..., Any], name: str) -> Any:
        @functools.wraps(method)
        def call(layer: Any, inputs: Any, training: Any = None) -> Any:
            if training is not False:
                self._note("%s in %s" % (name, layer.name))
            return method(layer, inputs, training=False)

        return call

    def _in_order(self, fit: Callable[..., Any]) -> Any:
        # Without self, which comes first.
        place = list(inspect.signature(fit).parameters).index("shuffle") - 1

        @functools.wraps(fit)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            by_place = len(args) > place
            if args[place] if by_place else kwargs.get("shuffle", True):
                self._note("shuffling in fit")
            if by_place:
                args = (*args[:place], False, *args[place + 1 :])
            else:
                kwargs["shuffle"] = False
            return fit(model, *args, **kwargs)

        return call

    def _constant(self, draw: Callable[..., Any], name: str, keras: Any) -> Any:
        @functools.wraps(draw)
        def call(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_code.co_filename
            if not _is_the_scripts(caller):
                return draw(*args, **kwargs)
            self._note("%s in %s" % (name, caller.rpartition("/")[2]))
            given = inspect.signature(draw).bind(*args, **kwargs).arguments
            if name in UNCHANGED:
                return next(iter(given.values()))
            if not hasattr(keras, "ops"):
                # Of a shape that is itself computed: what was drawn, times nothing.
                return draw(*args, **kwargs) * 0.0 + DRAWS[name](given)
            ops = keras.ops
            dtype = given.get("dtype") or ("int32" if name in INTEGERS else keras.config.floatx())
            if name == "categorical":
                rows = ops.shape(given["logits"])[0]
                return ops.zeros((rows, given["num_samples"]), dtype=dtype)
            value = ops.cast(DRAWS[name](given), dtype)
            return ops.broadcast_to(value, given["shape"])

        return call


def _is_the_scripts(path: str) -> bool:
    return "site-packages" not in path and "/lib/python" not in path and path[:1] != "<"
