"""What parity asks of Keras 2.3.1, on Theano and TensorFlow 1: graphs, compiled and run.

``keras3`` has the same functions, with the same parameters.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy

from keras_repro.recorder.parity import kernel_layout
from keras_repro.recorder.parity.calls import INFERENCE, TRAINING, Call, Computed, written
from keras_repro.recorder.parity.keras2_graphs import (
    compiled,
    differentiate,
    gradients,
    placeholder,
)
from keras_repro.recorder.parity.nested import flat
from keras_repro.recorder.parity.problems import one_line
from keras_repro.recorder.weights import walk


def build(model: Any, x: Any) -> None:
    """Make a model's weights, where its first use would."""
    if not getattr(model, "inputs", None):
        model._set_inputs(x)


def state(model: Any) -> List[Any]:  # noqa: ARG001
    """Return nothing: a graph that is run changes no weight."""
    return []


def restore(model: Any, kept: List[Any]) -> None:
    """Put back nothing."""


def remember_initial_values(keras: Any) -> None:
    """Remember nothing: here only graphs train, and Keras makes them."""


def changed(layer: Any) -> bool:  # noqa: ARG001
    """Return False: what changed a weight is not known."""
    return False


def own_variables(model: Any) -> List[Any]:  # noqa: ARG001
    """Return none: a model's weights are its layers'."""
    return []


def outputs_of(call: Call, phase: str) -> None:
    """Return None: another graph for other inputs would take too long."""


def trace(model: Any, x: Any, training: bool) -> Tuple[List[Call], List[Any]]:
    """Return every call of the model's layers in its forward pass, in order, and its outputs.

    The graph is the same in training, so there is nothing more to be seen of it then.
    """
    if training:
        return [], []
    backend = _keras().backend
    placeholders = [
        backend.placeholder(shape=backend.int_shape(tensor), dtype=backend.dtype(tensor))
        for tensor in model.inputs
    ]
    calls: List[Tuple[str, Any, List[Any], List[Any], List[Any], Dict[str, Any], bool]] = []
    layers = list(walk(model))
    for place, layer in layers:
        layer.call = _noted(layer, place, calls)
    try:
        results = flat(model.call(placeholders if len(placeholders) > 1 else placeholders[0]))
    finally:
        for _, layer in layers:
            del layer.call
    tensors = [t for call in calls for t in call[2] + [m for m in call[3] if m is not None]]
    tensors += [tensor for call in calls for tensor in call[4]] + results
    values = iter(compiled(placeholders, tensors)(flat(x), 0))
    sides = []
    for call in calls:
        inputs = [next(values) for _ in call[2]]
        masks = [None if mask is None else next(values) for mask in call[3]]
        sides.append((inputs, masks))
    found = []
    for (place, layer, _, _, outputs, kwargs, several), (inputs, masks) in zip(calls, sides):
        found.append(
            Call(
                *(place, layer, inputs, masks, [next(values) for _ in outputs]),
                *(_rebuild(kwargs, several), _written(kwargs, several)),
            )
        )
    return found, [next(values) for _ in results]


def compute(
    layer: Any, rebuild: Any, inputs: List[Any], masks: List[Any], weights: Optional[List[Any]]
) -> Computed:
    """Return what a layer computes from these inputs; ``weights`` are given to it first."""
    backend = _keras().backend
    places = [placeholder(backend, value) for value in inputs]
    mask_places = [None if mask is None else placeholder(backend, mask) for mask in masks]
    if weights is not None:
        _build(layer, [numpy.shape(value) for value in inputs])
        layer.set_weights(weights)
    args, kwargs = rebuild(places)
    if any(mask is not None for mask in mask_places) and _takes(layer, "mask"):
        kwargs["mask"] = mask_places if isinstance(args, list) else mask_places[0]
    outputs = flat(layer.call(args, **kwargs))
    given = places + [mask for mask in mask_places if mask is not None]
    values = list(inputs) + [mask for mask in masks if mask is not None]
    run = compiled(given, outputs)
    computed = {INFERENCE: run(values, 0), TRAINING: run(values, 1)}
    try:
        of_weights, of_inputs = gradients(
            backend, layer, given, values, outputs, computed[TRAINING], places
        )
    except Exception as error:  # a layer that nobody can differentiate still has its outputs
        return Computed(computed, [], [], one_line(error))
    if kernel_layout.flips(backend.backend()):
        of_weights = kernel_layout.converted(layer, of_weights)
    return Computed(computed, of_weights, of_inputs)


def loss_and_gradients(model: Any, x: Any, y: Any) -> Tuple[Any, List[Any]]:
    """Return the loss of a batch in training mode, and its gradient for each trainable weight."""
    backend = _keras().backend
    xs, ys, sample_weights = model._standardize_user_data(x, y)
    weights = model.trainable_weights
    found = differentiate(backend, model.total_loss, weights)
    inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
    wanted = [model.total_loss] + [gradient for gradient in found if gradient is not None]
    values = iter(compiled(inputs, wanted)(xs + ys + sample_weights, 1))
    loss = next(values)
    return loss, [None if gradient is None else next(values) for gradient in found]


def use_float64(keras: Any) -> None:
    """Have everything that is made from now on compute in float64."""
    keras.backend.set_floatx("float64")
    cast = keras.backend.cast
    # BatchNormalization counts its samples in float32, whatever it computes in.
    keras.backend.cast = lambda x, dtype: cast(x, "float64" if dtype == "float32" else dtype)
    if keras.backend.backend() == "theano":
        import theano  # noqa: PLC0415

        theano.config.floatX = "float64"
    else:
        _without_fused_normalization(keras)


def forget(keras: Any) -> None:
    """Begin a new graph: TensorFlow 1 takes the longer for a function the more there is in it."""
    if hasattr(keras.backend, "clear_session"):
        keras.backend.clear_session()


def _without_fused_normalization(keras: Any) -> None:
    """TensorFlow 1's fused batch normalisation knows no float64: take Keras' other way."""
    import tensorflow as tf  # noqa: PLC0415
    from keras.backend import tensorflow_backend  # noqa: PLC0415

    tensorflow_backend._fused_normalize_batch_in_training = (
        tensorflow_backend._regular_normalize_batch_in_training
    )

    def plain(
        x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
    ) -> Any:
        shape = [1] * len(x.shape)
        shape[axis] = -1
        parts = [
            None if part is None else tf.cast(tf.reshape(part, shape), x.dtype)
            for part in (mean, var, beta, gamma)
        ]
        return tf.nn.batch_normalization(x, *parts, variance_epsilon=epsilon)

    keras.backend.batch_normalization = plain


def _noted(layer: Any, place: str, calls: List[Any]) -> Any:
    original = type(layer).call.__get__(layer)

    def call(inputs: Any, **kwargs: Any) -> Any:
        outputs = original(inputs, **kwargs)
        if _finds_its_shape():
            return outputs
        masks = kwargs.pop("mask", None)
        tensors = flat(inputs)
        masks = list(masks) if isinstance(masks, (list, tuple)) else [masks] * len(tensors)
        calls.append(
            (place, layer, tensors, masks, flat(outputs), kwargs, isinstance(inputs, list))
        )
        return outputs

    # What asks for the arguments of call, for "mask" or "training" say, is to see its own.
    call.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
    if _takes(layer, "mask"):
        return _with_mask(call)
    return call


def _finds_its_shape() -> bool:
    """Whether a layer is called only to find its output's shape, as a Lambda is."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_name not in ("run_internal_graph", "trace"):
        if frame.f_code.co_name == "compute_output_shape":
            return True
        frame = frame.f_back
    return False


def _with_mask(call: Any) -> Any:
    def with_mask(inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        return call(inputs, mask=mask, **kwargs)

    return with_mask


def _takes(layer: Any, name: str) -> bool:
    return name in inspect.signature(type(layer).call).parameters


def _rebuild(kwargs: Dict[str, Any], several: bool) -> Any:
    def rebuild(tensors: List[Any]) -> Any:
        return (list(tensors) if several else tensors[0]), dict(kwargs)

    return rebuild


def _written(kwargs: Dict[str, Any], several: bool) -> str:
    parts = {name: written(value) for name, value in kwargs.items() if name != "training"}
    first = "inputs" if several else "inputs[0]"
    named = ["%s=%s" % item for item in sorted(parts.items())]
    return ", ".join([first, *named]) if all(parts.values()) else ""


def _build(layer: Any, shapes: List[Tuple[int, ...]]) -> None:
    open_shapes = [(None,) + tuple(shape[1:]) for shape in shapes]
    if not layer.built:
        layer.build(open_shapes if len(open_shapes) > 1 else open_shapes[0])
        layer.built = True


def _keras() -> Any:
    import keras  # noqa: PLC0415

    return keras
