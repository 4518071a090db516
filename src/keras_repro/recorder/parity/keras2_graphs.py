"""Graphs of Keras 2.3.1: places for values, functions compiled from them, and gradients."""

from __future__ import annotations

from typing import Any, List, Tuple

import numpy

from keras_repro.recorder.parity.calls import weighing


def placeholder(backend: Any, value: Any) -> Any:
    """Return a place in the graph for a value, of its whole shape and its dtype."""
    array = numpy.asarray(value)
    # The size of the batch too: layers that are stateful want to know it.
    dtype = "bool" if array.dtype.kind == "b" else str(array.dtype)
    return backend.placeholder(shape=array.shape, dtype=dtype)


def compiled(places: List[Any], wanted: List[Any]) -> Any:
    """Return a function of the places' values and the learning phase, compiled once for both."""
    from keras import backend  # noqa: PLC0415

    if not wanted:
        return lambda values, phase: []
    learning = backend.learning_phase()
    feed = list(places) + ([] if isinstance(learning, int) else [learning])
    # TensorFlow does not fetch what it is fed.
    wanted = [backend.identity(t) if any(t is place for place in places) else t for t in wanted]
    function = backend.function(feed, wanted)

    def run(values: List[Any], phase: int) -> List[Any]:
        given = list(values) + ([] if isinstance(learning, int) else [phase])
        return [numpy.array(value) for value in function(given)]

    return run


def gradients(
    backend: Any,
    layer: Any,
    given: List[Any],
    values: List[Any],
    outputs: List[Any],
    computed: List[Any],
    places: List[Any],
) -> Tuple[List[Any], List[Any]]:
    """Return the gradients of the outputs, each element weighed, for weights and inputs."""
    parts = []
    for output, value in zip(outputs, computed):
        if value.dtype.kind == "f":
            constant = backend.constant(weighing(value.shape), dtype=backend.dtype(output))
            parts.append(backend.sum(output * constant))
    weights = list(layer.trainable_weights)
    if not parts:
        return [None] * len(weights), [None] * len(places)
    total = sum(parts[1:], parts[0])
    watched = [place if "float" in str(backend.dtype(place)) else None for place in places]
    found = differentiate(backend, total, weights)
    for place in watched:
        if place is not None:
            try:
                found += differentiate(backend, total, [place])
            except Exception:  # indices, which Keras casts to integers: Theano asserts
                found.append(None)
    wanted = [gradient for gradient in found if gradient is not None]
    results = iter(compiled(given, wanted)(values, 1))
    arrays = iter([None if gradient is None else next(results) for gradient in found])
    of_weights = [next(arrays) for _ in weights]
    return of_weights, [None if place is None else next(arrays) for place in watched]


def differentiate(backend: Any, total: Any, of: List[Any]) -> List[Any]:
    """Return the gradients, None where the total does not depend on what is asked for."""
    if not of:
        return []
    if backend.backend() == "theano":
        import theano  # noqa: PLC0415

        return list(
            theano.grad(total, of, disconnected_inputs="ignore", return_disconnected="none")
        )
    import tensorflow as tf  # noqa: PLC0415

    return [
        None if gradient is None else tf.convert_to_tensor(gradient)
        for gradient in tf.gradients(total, of)
    ]
