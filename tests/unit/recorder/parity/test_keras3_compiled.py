"""What cannot be compiled on JAX is computed as it is; with a JAX that hands over no numbers."""

import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_repro.recorder.parity import keras3_compiled
from keras_repro.recorder.parity.keras3_compiled import compiled


class ConcretizationTypeError(TypeError):
    pass


class TracerBoolConversionError(ConcretizationTypeError):
    pass


class TracerArrayConversionError(TypeError):
    pass


class UnexpectedTracerError(TypeError):
    pass


TRACER = object()  # stands for an array of which only the shape is known
ERRORS = (
    ConcretizationTypeError,
    TracerBoolConversionError,
    TracerArrayConversionError,
    UnexpectedTracerError,
)


@pytest.fixture(autouse=True)
def jax(monkeypatch):
    fake = SimpleNamespace(
        jit=lambda function: lambda *arguments: function(*[TRACER] * len(arguments)),
        errors=SimpleNamespace(**{error.__name__: error for error in ERRORS}),
    )
    monkeypatch.setitem(sys.modules, "jax", fake)


class Layer:
    """Draws and counts, and then raises the next of ``raises`` while it is compiled."""

    def __init__(self, *raises):
        self.raises = raises
        self.inner = SimpleNamespace(calls=0)
        self.calls = 0

    def _flatten_layers(self):
        return [self, self.inner]

    def __call__(self, x):
        self.calls += 1
        self.inner.calls += 1
        drawn = random.random(), np.random.rand()
        if x is TRACER:
            self.kept = x
            for error in self.raises:
                raise error
        return drawn


def as_keras_does(error):
    """Return what becomes of an error of JAX's in Keras, which makes one of its type anew."""
    try:
        try:
            raise error
        except TypeError:
            raise AttributeError("'str' object has no attribute '_origin_msg'")  # noqa: B904
    except AttributeError as made:
        return made


def seed():
    random.seed(1)
    np.random.seed(1)


UNCOMPILABLE = [
    ConcretizationTypeError("no number yet"),
    TracerBoolConversionError("neither yet"),
    as_keras_does(TracerArrayConversionError("no array yet")),
    TypeError("Shapes must be 1D sequences of concrete values.\nIf using `jit`, try using another"),
    IndexError("Slice entries must be static integers. Got slice(None, JitTracer(~int32[]), None)"),
    ValueError("[JAX RNG] When tracing a JAX function, you should only use seeded random ops"),
]


@pytest.mark.parametrize("error", UNCOMPILABLE, ids=lambda error: type(error).__name__)
def test_what_looks_at_the_numbers_is_called_as_if_for_the_first_time(error):
    seed()
    expected = random.random(), np.random.rand()
    after = random.random(), np.random.rand()
    layer = Layer(error)
    seed()
    assert compiled(layer, layer, 1.0) == (expected, False)
    assert (layer.calls, layer.inner.calls) == (1, 1)
    assert not hasattr(layer, "kept")
    assert (random.random(), np.random.rand()) == after


def test_what_can_be_compiled_is_called_once():
    layer = Layer()
    result, is_compiled = compiled(layer, layer, 1.0)
    assert is_compiled
    assert layer.calls == 1
    assert result


@pytest.mark.parametrize(
    "error", [ValueError("no"), MemoryError(), UnexpectedTracerError("of another time")]
)
def test_what_else_is_raised_is_raised_at_once(error):
    layer = Layer(error)
    with pytest.raises(type(error)):
        compiled(layer, layer, 1.0)
    assert layer.calls == 1


def test_errors_that_are_behind_one_another_end():
    first, second = ValueError("one"), ValueError("two")
    first.__context__, second.__cause__ = second, first
    assert list(keras3_compiled._behind(first)) == [first, second]
