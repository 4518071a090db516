"""What parity asks of Keras 3, on TensorFlow, JAX and PyTorch: all of it eagerly."""

from __future__ import annotations

import functools
import sys
import zlib
from typing import Any, Dict, List, Optional, Tuple

import numpy

from keras_repro.recorder.parity.probe import (
    PHASES,
    TRAINING,
    Call,
    Computed,
    one_line,
    weighing,
    written,
)
from keras_repro.recorder.watch.weights import walk

INITIAL = "_keras_repro_initial"


def remember_initial_values(keras: Any) -> None:  # noqa: ARG001
    """Have every trainable variable that is made from now on remember what it began with."""
    from keras.src import backend  # noqa: PLC0415 - no public way

    variable_class = backend.Variable
    initialize = variable_class.__init__

    @functools.wraps(initialize)
    def call(variable: Any, *args: Any, **kwargs: Any) -> None:
        initialize(variable, *args, **kwargs)
        if getattr(variable, "_trainable", False) and getattr(variable, "_value", None) is not None:
            try:
                setattr(variable, INITIAL, _checksum(variable))
            except Exception:  # inside a function that is being traced there is no value yet
                return

    variable_class.__init__ = call


def changed(layer: Any) -> bool:
    """Whether a layer's trainable weights are others than it was made with, as far as is known."""
    return any(
        hasattr(variable, INITIAL) and getattr(variable, INITIAL) != _checksum(variable)
        for variable in layer.trainable_variables
    )


def own_variables(model: Any) -> List[Any]:
    """Return the weights of a model that belong to none of its layers."""
    of_layers = {id(weight) for _, layer in walk(model) for weight in layer.weights}
    return [weight for weight in model.weights if id(weight) not in of_layers]


def value(variable: Any) -> Any:
    """Return a variable's value."""
    return _array(variable.value)


def assign(variable: Any, given: Any) -> None:
    """Give a variable a value."""
    variable.assign(given)


def build(model: Any, x: Any) -> None:
    """Make a model's weights, where its first use would."""
    if not model.built or not model.weights:
        _call(model, _tensors(x), False)


def state(model: Any) -> List[Any]:
    """Return all that a forward pass or a loss of a model or layer may change."""
    return [_array(variable.value) for variable in model.variables]


def restore(model: Any, kept: List[Any]) -> None:
    """Put back what ``state`` returned."""
    _assign(model.variables, kept)
    model.reset_metrics()


def trace(model: Any, x: Any, training: bool) -> Tuple[List[Call], List[Any]]:
    """Return every call of the model's layers in its forward pass, in order, and its outputs."""
    import keras  # noqa: PLC0415

    places = {id(layer): place for place, layer in walk(model)}
    calls: List[Call] = []
    layer_class = keras.layers.Layer
    original = layer_class.__call__

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if id(layer) not in places:
            return original(layer, *args, **kwargs)
        tensors, rebuild, arguments = _leaves(args, kwargs)
        inputs = [_array(tensor) for tensor in tensors]
        masks = [_mask(tensor) for tensor in tensors]  # MultiHeadAttention takes them away
        outputs = original(layer, *args, **kwargs)
        found = [_array(tensor) for tensor in _flat(outputs)]
        calls.append(Call(places[id(layer)], layer, inputs, masks, found, rebuild, arguments))
        return outputs

    layer_class.__call__ = call
    try:
        outputs = _call(model, _tensors(x), training)
    finally:
        layer_class.__call__ = original
    return calls, [_array(tensor) for tensor in _flat(outputs)]


def outputs_of(call: Call, phase: str) -> List[Any]:
    """Return what a layer computes alone from what the model itself gave it."""
    kept = state(call.layer)
    try:
        args, kwargs = call.rebuild(_masked(call.inputs, call.masks))
        result = _call_layer(call.layer, args, kwargs, phase == TRAINING)
        return [_array(part) for part in _flat(result)]
    finally:
        _assign(call.layer.variables, kept)


def compute(
    layer: Any, rebuild: Any, inputs: List[Any], masks: List[Any], weights: Optional[List[Any]]
) -> Computed:
    """Return what a layer computes from these inputs; ``weights`` are given to it first."""
    if weights is not None:
        args, kwargs = rebuild(_masked(inputs, masks))
        _call_layer(layer, args, kwargs, False)  # builds it
        layer.set_weights(weights)
    kept = state(layer)
    outputs: Dict[str, List[Any]] = {}
    try:
        for phase in PHASES:
            args, kwargs = rebuild(_masked(inputs, masks))
            result = _call_layer(layer, args, kwargs, phase == TRAINING)
            outputs[phase] = [_array(part) for part in _flat(result)]
            _assign(layer.variables, kept)
        try:
            of_weights, of_inputs = _gradients(layer, rebuild, inputs, masks, outputs[TRAINING])
        except Exception as error:  # a layer that nobody can differentiate still has its outputs
            return Computed(outputs, [], [], one_line(error))
    finally:
        _assign(layer.variables, kept)
    return Computed(outputs, of_weights, of_inputs)


def loss_and_gradients(model: Any, x: Any, y: Any) -> Tuple[Any, List[Any]]:
    """Return the loss of a batch in training mode, and its gradient for each trainable weight."""
    backend = _backend()
    x, y = _tensors(x), _tensors(y)
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
    return _array(loss), [None if g is None else _array(g) for g in gradients]


def use_float64(keras: Any) -> None:
    """Have everything that is made from now on compute in float64."""
    if _backend() == "jax":
        import jax  # noqa: PLC0415

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    # Keras makes 32 bits of 64 wherever it promotes dtypes, except on TensorFlow.
    from keras.src.backend.common import dtypes  # noqa: PLC0415 - no public way

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def forget(keras: Any) -> None:
    """Forget nothing: all is computed eagerly."""


def _gradients(
    layer: Any, rebuild: Any, inputs: List[Any], masks: List[Any], outputs: List[Any]
) -> Tuple[List[Any], List[Any]]:
    """Return the gradients of the outputs, each element weighed, for weights and inputs."""
    weighs = [weighing(part.shape) if part.dtype.kind == "f" else None for part in outputs]
    if not any(weigh is not None for weigh in weighs):
        return [], []
    backend = _backend()
    places = [index for index, value in enumerate(inputs) if numpy.asarray(value).dtype.kind == "f"]
    if backend == "jax":
        return _jax_gradients(layer, rebuild, inputs, masks, weighs, places)
    tensors = _masked(inputs, masks)
    if backend == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415

        weights = [weight.value for weight in layer.trainable_weights]
        watched = [tensors[index] for index in places]
        with tf.GradientTape() as tape:
            for tensor in watched:
                tape.watch(tensor)
            args, kwargs = rebuild(tensors)
            total = _weighed(_call_layer(layer, args, kwargs, True), weighs)
        found = tape.gradient(total, weights + watched)
    else:
        import torch  # noqa: PLC0415

        weights = [weight.value for weight in layer.trainable_weights]
        watched = [tensors[index].detach().clone().requires_grad_() for index in places]
        for index, tensor in zip(places, watched):
            _set_mask(tensor, masks[index])
            tensors[index] = tensor
        args, kwargs = rebuild(tensors)
        total = _weighed(_call_layer(layer, args, kwargs, True), weighs)
        if not total.requires_grad:
            return [None] * len(weights), [None] * len(inputs)
        found = torch.autograd.grad(total, weights + watched, allow_unused=True)
    arrays = [None if g is None else _array(_dense(g)) for g in found]
    return arrays[: len(weights)], _placed(arrays[len(weights) :], places, len(inputs))


def _jax_gradients(
    layer: Any,
    rebuild: Any,
    inputs: List[Any],
    masks: List[Any],
    weighs: List[Any],
    places: List[int],
) -> Tuple[List[Any], List[Any]]:
    import jax  # noqa: PLC0415

    def total(values: Any, watched: Any) -> Any:
        tensors = _masked(inputs, masks)
        for index, tensor in zip(places, watched):
            _set_mask(tensor, masks[index])
            tensors[index] = tensor
        args, kwargs = rebuild(tensors)
        with _instead(variables, values):  # as Keras calls it: with masks, and casting by itself
            return _weighed(_call_layer(layer, args, kwargs, True), weighs)

    variables = layer.trainable_variables
    weights = [variable.value for variable in variables]
    watched = [_tensors(inputs[index]) for index in places]
    of_weights, of_inputs = jax.grad(total, argnums=(0, 1))(weights, watched)
    arrays = [_array(gradient) for gradient in of_inputs]
    return [_array(gradient) for gradient in of_weights], _placed(arrays, places, len(inputs))


def _weighed(result: Any, weighs: List[Any]) -> Any:
    from keras import ops  # noqa: PLC0415

    parts = [
        ops.sum(part * ops.convert_to_tensor(weigh, dtype=part.dtype))
        for part, weigh in zip(_flat(result), weighs)
        if weigh is not None
    ]
    return sum(parts[1:], parts[0])


def _loss(model: Any, x: Any, y: Any) -> Any:
    predicted = _call(model, x, True)
    return model._compute_loss(x=x, y=y, y_pred=predicted, sample_weight=None, training=True)


def _call(model: Any, x: Any, training: bool) -> Any:
    return model(x, training=training) if model._call_has_training_arg else model(x)


def _call_layer(layer: Any, args: Any, kwargs: Any, training: bool) -> Any:
    if layer._call_has_training_arg:
        kwargs = dict(kwargs, training=training)
    return layer(*args, **kwargs)


def _leaves(args: Any, kwargs: Any) -> Tuple[List[Any], Any, str]:
    """Return the tensors in a call's arguments, flat, and what rebuilds the arguments of others.

    And the arguments as they are written of a list of "inputs": nothing where they cannot be.
    """
    import keras  # noqa: PLC0415

    kwargs = {name: value for name, value in kwargs.items() if name != "training"}
    structure = (tuple(args), kwargs)
    flat = keras.tree.flatten(structure)
    places = [index for index, leaf in enumerate(flat) if hasattr(leaf, "shape")]

    def rebuild(tensors: List[Any]) -> Any:
        filled = list(flat)
        for place, tensor in zip(places, tensors):
            filled[place] = tensor
        return keras.tree.pack_sequence_as(structure, filled)

    names = [
        "inputs[%d]" % places.index(index) if index in places else written(leaf)
        for index, leaf in enumerate(flat)
    ]
    named = keras.tree.pack_sequence_as(structure, names)
    parts = [_source(part) for part in named[0]]
    parts += ["%s=%s" % (name, _source(part)) for name, part in named[1].items()]
    return [flat[place] for place in places], rebuild, ", ".join(parts) if all(names) else ""


def _source(part: Any) -> str:
    """Return a structure of sources as a source."""
    if isinstance(part, dict):
        return "{%s}" % ", ".join("%r: %s" % (name, _source(p)) for name, p in part.items())
    if isinstance(part, (list, tuple)):
        return "[%s]" % ", ".join(map(_source, part))
    return str(part)


def _masked(inputs: List[Any], masks: List[Any]) -> List[Any]:
    tensors = [_tensors(value) for value in inputs]
    for tensor, mask in zip(tensors, masks):
        _set_mask(tensor, mask)
    return tensors


def _set_mask(tensor: Any, mask: Any) -> None:
    if mask is None:
        return
    from keras.src import backend  # noqa: PLC0415 - no public way

    if hasattr(backend, "set_keras_mask"):
        backend.set_keras_mask(tensor, _tensors(mask))
    else:
        tensor._keras_mask = _tensors(mask)


def _mask(tensor: Any) -> Any:
    from keras.src import backend  # noqa: PLC0415 - no public way

    find = getattr(backend, "get_keras_mask", lambda of: getattr(of, "_keras_mask", None))
    mask = find(tensor)
    return None if mask is None else _array(mask)


def _tensors(value: Any) -> Any:
    from keras import ops  # noqa: PLC0415

    if isinstance(value, (list, tuple)):
        return [_tensors(part) for part in value]
    if isinstance(value, dict):
        return {name: _tensors(part) for name, part in value.items()}
    if isinstance(value, numpy.ndarray) and value.dtype == numpy.float64:
        import keras  # noqa: PLC0415

        return ops.convert_to_tensor(value, dtype=keras.config.floatx())
    return ops.convert_to_tensor(value)


def _array(tensor: Any) -> Any:
    from keras import ops  # noqa: PLC0415

    array = numpy.array(ops.convert_to_numpy(tensor))
    return array.astype(numpy.float32) if array.dtype.kind == "V" else array  # bfloat16


def _checksum(variable: Any) -> int:
    return zlib.crc32(numpy.ascontiguousarray(_array(variable.value)).data.cast("B"))


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


def _flat(value: Any) -> List[Any]:
    import keras  # noqa: PLC0415

    return [leaf for leaf in keras.tree.flatten(value) if leaf is not None]


def _placed(found: List[Any], places: List[int], count: int) -> List[Any]:
    by_place = dict(zip(places, found))
    return [by_place.get(index) for index in range(count)]


def _assign(variables: List[Any], values: List[Any]) -> None:
    for variable, value in zip(variables, values):
        variable.assign(value)


def _backend() -> str:
    import keras  # noqa: PLC0415

    return str(keras.backend.backend())
