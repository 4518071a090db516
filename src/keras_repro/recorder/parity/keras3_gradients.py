"""Gradients under Keras 3: of a model's loss, and of a layer's outputs, by each framework's way."""

from __future__ import annotations

import sys
from typing import Any, List, NamedTuple, Tuple

import numpy

from keras_repro.recorder.parity.calls import weighing
from keras_repro.recorder.parity.keras3_compiled import compiled
from keras_repro.recorder.parity.keras3_tensors import (
    as_array,
    as_tensors,
    backend_name,
    call_layer,
    call_model,
    flat,
    masked,
    set_mask,
)


class Gradients(NamedTuple):
    """The gradients of a layer's weights and inputs, None where there is none."""

    weights: List[Any]
    inputs: List[Any]
    compiled: bool = False  # as a whole, which may round otherwise


def loss_and_gradients(model: Any, x: Any, y: Any) -> Tuple[Any, List[Any]]:
    """Return the loss of a batch in training mode, and its gradient for each trainable weight."""
    backend = backend_name()
    x, y = as_tensors(x), as_tensors(y)
    weights = model.trainable_weights
    if backend == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415

        with tf.GradientTape() as tape:
            loss = _loss(model, x, y)
        gradients = tape.gradient(loss, [weight.value for weight in weights])
    elif backend == "torch":
        model.zero_grad()
        loss = _loss(model, x, y)
        if loss.requires_grad:  # nothing does in a model whose layers are all frozen
            loss.backward()
        gradients = [weight.value.grad for weight in weights]
        gradients = [None if g is None else g.detach().clone() for g in gradients]
        model.zero_grad()
    else:
        import jax  # noqa: PLC0415

        def loss_of(values: Any) -> Any:
            with _instead(weights, values):
                return _loss(model, x, y)

        loss, gradients = jax.value_and_grad(loss_of)([weight.value for weight in weights])
    return as_array(loss), [None if g is None else as_array(g) for g in gradients]


def gradients(
    layer: Any, rebuild: Any, inputs: List[Any], masks: List[Any], outputs: List[Any]
) -> Gradients:
    """Return the gradients of the outputs, each element weighed, for weights and inputs."""
    weighs = [weighing(part.shape) if part.dtype.kind == "f" else None for part in outputs]
    if not any(weigh is not None for weigh in weighs):
        return Gradients([], [])
    backend = backend_name()
    places = [index for index, value in enumerate(inputs) if numpy.asarray(value).dtype.kind == "f"]
    if backend == "jax":
        return _jax_gradients(layer, rebuild, inputs, masks, weighs, places)
    tensors = masked(inputs, masks)
    if backend == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415

        weights = [weight.value for weight in layer.trainable_weights]
        watched = [tensors[index] for index in places]
        with tf.GradientTape() as tape:
            for tensor in watched:
                tape.watch(tensor)
            args, kwargs = rebuild(tensors)
            total = _weighed(call_layer(layer, args, kwargs, True), weighs)
        found = tape.gradient(total, weights + watched)
    else:
        import torch  # noqa: PLC0415

        weights = [weight.value for weight in layer.trainable_weights]
        watched = [tensors[index].detach().clone().requires_grad_() for index in places]
        for index, tensor in zip(places, watched):
            set_mask(tensor, masks[index])
            tensors[index] = tensor
        args, kwargs = rebuild(tensors)
        total = _weighed(call_layer(layer, args, kwargs, True), weighs)
        if not total.requires_grad:
            return Gradients([None] * len(weights), [None] * len(inputs))
        found = torch.autograd.grad(total, weights + watched, allow_unused=True)
    arrays = [None if g is None else as_array(_dense(g)) for g in found]
    placed = _placed(arrays[len(weights) :], places, len(inputs))
    return Gradients(arrays[: len(weights)], placed)


def _jax_gradients(
    layer: Any,
    rebuild: Any,
    inputs: List[Any],
    masks: List[Any],
    weighs: List[Any],
    places: List[int],
) -> Gradients:
    import jax  # noqa: PLC0415

    def total(values: Any, watched: Any) -> Any:
        tensors = masked(inputs, masks)
        for index, tensor in zip(places, watched):
            set_mask(tensor, masks[index])
            tensors[index] = tensor
        args, kwargs = rebuild(tensors)
        with _instead(variables, values):  # as Keras calls it: with masks, and casting by itself
            return _weighed(call_layer(layer, args, kwargs, True), weighs)

    variables = layer.trainable_variables
    weights = [variable.value for variable in variables]
    watched = [as_tensors(inputs[index]) for index in places]
    differentiate = jax.grad(total, argnums=(0, 1))
    (of_weights, of_inputs), is_compiled = compiled(differentiate, layer, weights, watched)
    arrays = [as_array(gradient) for gradient in of_inputs]
    placed = _placed(arrays, places, len(inputs))
    return Gradients([as_array(gradient) for gradient in of_weights], placed, is_compiled)


def _weighed(result: Any, weighs: List[Any]) -> Any:
    from keras import ops  # noqa: PLC0415

    parts = [
        ops.sum(part * ops.convert_to_tensor(weigh, dtype=part.dtype))
        for part, weigh in zip(flat(result), weighs)
        if weigh is not None
    ]
    return sum(parts[1:], parts[0])


def _loss(model: Any, x: Any, y: Any) -> Any:
    predicted = call_model(model, x, True)
    return model._compute_loss(x=x, y=y, y_pred=predicted, sample_weight=None, training=True)


def _instead(variables: List[Any], values: List[Any]) -> Any:
    """Return a scope in which variables have other values, and nothing is assigned for good."""
    import keras  # noqa: PLC0415

    return keras.StatelessScope(list(zip(variables, values)), collect_losses=True)


def _dense(gradient: Any) -> Any:
    """Return TensorFlow's slices of a gradient, an embedding's say, as the whole of it."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(gradient, tensorflow.IndexedSlices):
        return tensorflow.convert_to_tensor(gradient)
    return gradient


def _placed(found: List[Any], places: List[int], count: int) -> List[Any]:
    by_place = dict(zip(places, found))
    return [by_place.get(index) for index in range(count)]
