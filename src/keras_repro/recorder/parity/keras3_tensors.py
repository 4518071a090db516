"""Tensors of Keras 3 and NumPy's arrays, masks included, the same way on every backend."""

from __future__ import annotations

from typing import Any, List

import numpy


def as_tensors(value: Any) -> Any:
    """Return a structure of arrays as tensors; float64 as what Keras computes in."""
    from keras import ops  # noqa: PLC0415

    if isinstance(value, (list, tuple)):
        return [as_tensors(part) for part in value]
    if isinstance(value, dict):
        return {name: as_tensors(part) for name, part in value.items()}
    if isinstance(value, numpy.ndarray) and value.dtype == numpy.float64:
        import keras  # noqa: PLC0415

        return ops.convert_to_tensor(value, dtype=keras.config.floatx())
    return ops.convert_to_tensor(value)


def as_array(tensor: Any) -> Any:
    """Return a tensor as a NumPy array of its dtype; bfloat16, which NumPy lacks, as float32."""
    from keras import ops  # noqa: PLC0415

    array = numpy.array(ops.convert_to_numpy(tensor))
    return array.astype(numpy.float32) if array.dtype.kind == "V" else array  # bfloat16


def flat(value: Any) -> List[Any]:
    """Return the tensors in a structure of any depth, in Keras' order."""
    import keras  # noqa: PLC0415

    return [leaf for leaf in keras.tree.flatten(value) if leaf is not None]


def masked(inputs: List[Any], masks: List[Any]) -> List[Any]:
    """Return tensors of arrays, each with its mask."""
    tensors = [as_tensors(value) for value in inputs]
    for tensor, mask in zip(tensors, masks):
        set_mask(tensor, mask)
    return tensors


def set_mask(tensor: Any, mask: Any) -> None:
    """Have a tensor carry a mask, if there is one."""
    if mask is None:
        return
    from keras.src import backend  # noqa: PLC0415 - no public way

    if hasattr(backend, "set_keras_mask"):
        backend.set_keras_mask(tensor, as_tensors(mask))
    else:
        tensor._keras_mask = as_tensors(mask)


def mask_of(tensor: Any) -> Any:
    """Return the mask that a tensor carries, None where it carries none."""
    from keras.src import backend  # noqa: PLC0415 - no public way

    find = getattr(backend, "get_keras_mask", lambda of: getattr(of, "_keras_mask", None))
    mask = find(tensor)
    return None if mask is None else as_array(mask)


def assign_all(variables: List[Any], values: List[Any]) -> None:
    """Give variables their values."""
    for variable, value in zip(variables, values):
        variable.assign(value)


def call_model(model: Any, x: Any, training: bool) -> Any:
    """Call a model, in training or in inference where it knows the difference."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def call_layer(layer: Any, args: Any, kwargs: Any, training: bool) -> Any:
    """Call a layer, in training or in inference where it knows the difference."""
    if layer._call_has_training_arg:
        kwargs = dict(kwargs, training=training)
    return layer(*args, **kwargs)


def backend_name() -> str:
    """Return the name of Keras' backend."""
    import keras  # noqa: PLC0415

    return str(keras.backend.backend())
