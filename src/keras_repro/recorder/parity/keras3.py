"""What parity asks of Keras 3, on TensorFlow, JAX and PyTorch: eagerly, but for gradients on JAX.

``keras2`` has the same functions, with the same parameters.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any, Dict, List, Optional, Tuple

import numpy

from keras_repro.recorder.parity.calls import PHASES, TRAINING, Call, Computed, written
from keras_repro.recorder.parity.keras3_gradients import gradients, loss_and_gradients
from keras_repro.recorder.parity.keras3_tensors import (
    as_array,
    as_tensors,
    assign_all,
    backend_name,
    call_layer,
    call_model,
    flat,
    mask_of,
    masked,
)
from keras_repro.recorder.parity.problems import one_line
from keras_repro.recorder.weights import walk

__all__ = [  # one of them is made elsewhere
    "assign",
    "build",
    "changed",
    "compute",
    "forget",
    "loss_and_gradients",
    "outputs_of",
    "own_variables",
    "remember_initial_values",
    "restore",
    "state",
    "trace",
    "use_float64",
    "value",
]

INITIAL = "_keras_repro_initial"  # an attribute of Keras' variables


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
    return as_array(variable.value)


def assign(variable: Any, given: Any) -> None:
    """Give a variable a value."""
    variable.assign(given)


def build(model: Any, x: Any) -> None:
    """Make a model's weights, where its first use would."""
    if not model.built or not model.weights:
        call_model(model, as_tensors(x), False)


def state(model: Any) -> List[Any]:
    """Return all that a forward pass or a loss of a model or layer may change."""
    return [as_array(variable.value) for variable in model.variables]


def restore(model: Any, kept: List[Any]) -> None:
    """Put back what ``state`` returned."""
    assign_all(model.variables, kept)
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
        inputs = [as_array(tensor) for tensor in tensors]
        masks = [mask_of(tensor) for tensor in tensors]  # MultiHeadAttention takes them away
        outputs = original(layer, *args, **kwargs)
        found = [as_array(tensor) for tensor in flat(outputs)]
        calls.append(Call(places[id(layer)], layer, inputs, masks, found, rebuild, arguments))
        return outputs

    layer_class.__call__ = call
    try:
        outputs = call_model(model, as_tensors(x), training)
    finally:
        layer_class.__call__ = original
    return calls, [as_array(tensor) for tensor in flat(outputs)]


def outputs_of(call: Call, phase: str) -> List[Any]:
    """Return what a layer computes alone from what the model itself gave it."""
    kept = state(call.layer)
    try:
        args, kwargs = call.rebuild(masked(call.inputs, call.masks))
        result = call_layer(call.layer, args, kwargs, phase == TRAINING)
        return [as_array(part) for part in flat(result)]
    finally:
        assign_all(call.layer.variables, kept)


def compute(
    layer: Any, rebuild: Any, inputs: List[Any], masks: List[Any], weights: Optional[List[Any]]
) -> Computed:
    """Return what a layer computes from these inputs; ``weights`` are given to it first."""
    if weights is not None:
        args, kwargs = rebuild(masked(inputs, masks))
        call_layer(layer, args, kwargs, False)  # builds it
        layer.set_weights(weights)
    kept = state(layer)
    outputs: Dict[str, List[Any]] = {}
    try:
        for phase in PHASES:
            args, kwargs = rebuild(masked(inputs, masks))
            result = call_layer(layer, args, kwargs, phase == TRAINING)
            outputs[phase] = [as_array(part) for part in flat(result)]
            assign_all(layer.variables, kept)
        try:
            found = gradients(layer, rebuild, inputs, masks, outputs[TRAINING])
        except Exception as error:  # a layer that nobody can differentiate still has its outputs
            return Computed(outputs, [], [], one_line(error))
    finally:
        assign_all(layer.variables, kept)
    return Computed(outputs, found.weights, found.inputs, compiled=found.compiled)


def use_float64(keras: Any) -> None:
    """Have everything that is made from now on compute in float64."""
    if backend_name() == "jax":
        import jax  # noqa: PLC0415

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    # Keras makes 32 bits of 64 wherever it promotes dtypes, except on TensorFlow.
    from keras.src.backend.common import dtypes  # noqa: PLC0415 - no public way

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def forget(keras: Any) -> None:
    """Forget nothing: no graph grows from one layer to the next."""


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


def _checksum(variable: Any) -> int:
    return zlib.crc32(numpy.ascontiguousarray(as_array(variable.value)).data.cast("B"))
