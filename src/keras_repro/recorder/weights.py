"""Name and read a model's weights, the same way under Keras 2.3.1 and Keras 3."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Iterator, List, Set, Tuple

import numpy

from keras_repro.recorder.contract import count_of

MOST_COPIED = 1 << 20  # bytes of a weight: a copy of a large one would be seen in a run's memory


def each_variable(model: Any) -> Iterator[Tuple[str, Any]]:
    """Yield ``model``'s variables one by one, named ``<layer index>.<layer kind>.<weight>``.

    The index counts the layers without the input layers, which the two generations of Keras
    list differently. The layers of a nested model carry its key in front of theirs:
    ``1.sequential.0.dense.kernel``. What belongs to the model itself comes under ``model``.
    """
    seen: Set[int] = set()
    for prefix, layer in _layers(model, ""):
        yield from _of_layer(prefix, layer, seen)
    if any(id(variable) not in seen for variable in model.weights):
        yield from _of_layer("model.", model, seen)


def value_of(keras: Any, variable: Any) -> Any:
    """Return the present value of a variable as a NumPy array.

    Also while it is traced, beneath the scope in which it stands for something else. It may be a
    window on memory that training goes on changing (PyTorch): use it at once, or copy it.

    Raises:
        ValueError: it has none yet.
    """
    if keras.__version__.startswith("2."):
        return keras.backend.batch_get_value([variable])[0]
    held = variable._value
    if held is None:
        raise ValueError("%s has no value yet" % variable.path)
    if keras.backend.backend() == "tensorflow":
        import tensorflow  # noqa: PLC0415 - it is there already

        with tensorflow.init_scope():
            return _read(keras, held)
    return _read(keras, held)


def _read(keras: Any, held: Any) -> Any:
    """Return a framework's array as NumPy's: of a large one a window, where it gives one."""
    # Not of bfloat16, of another device, of a tracer: Keras knows, or says why not.
    with contextlib.suppress(Exception):
        size = getattr(held.dtype, "itemsize", None) or held.dtype.size  # TensorFlow's word
        if size * count_of(held.shape) > MOST_COPIED:
            return WINDOWS[keras.backend.backend()](held)
    return keras.ops.convert_to_numpy(held)


def _window_of_jax(held: Any) -> Any:
    # Unlike asarray, it leaves no copy with the array that would stay.
    return numpy.from_dlpack(held.block_until_ready())


def _window_of_torch(held: Any) -> Any:
    return held.detach().numpy()


def _window_of_tensorflow(held: Any) -> Any:
    return numpy.asarray(memoryview(held.value()))


WINDOWS = {
    "jax": _window_of_jax,
    "torch": _window_of_torch,
    "tensorflow": _window_of_tensorflow,
}


def put_value(keras: Any, variable: Any, value: Any) -> None:
    """Give a variable of Keras 3 a value, also while it is traced."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow  # noqa: PLC0415 - it is there already

        with tensorflow.init_scope():
            variable._direct_assign(variable._convert_to_tensor(value, dtype=variable.dtype))
        return
    variable._direct_assign(variable._convert_to_tensor(value, dtype=variable.dtype))


def walk(model: Any) -> Iterator[Tuple[str, Any]]:
    """Yield (place, layer) of each layer that is no model itself, places as in the names."""
    for prefix, layer in _layers(model, ""):
        if not _is_model(layer):
            yield prefix[:-1], layer


def _layers(model: Any, prefix: str, above: Tuple[Any, ...] = ()) -> Iterator[Tuple[str, Any]]:
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    for index, layer in enumerate(layers):
        name = "%s%d.%s." % (prefix, index, _kind(layer))
        if _is_model(layer):
            if any(layer is each for each in (model, *above)):  # a model that has itself in it
                continue
            yield from _layers(layer, name, (model, *above))
        yield name, layer


def _of_layer(prefix: str, layer: Any, seen: Set[int]) -> Iterator[Tuple[str, Any]]:
    names: List[str] = []
    for variable in list(layer.weights):
        name = re.sub(r":\d+$", "", variable.name.split("/")[-1])
        count = sum(known == name or known.startswith(name + "#") for known in names)
        names.append("%s#%d" % (name, count + 1) if count else name)
        if id(variable) not in seen:
            seen.add(id(variable))
            yield prefix + names[-1].replace("#", "_"), variable


def _is_model(layer: Any) -> bool:
    return hasattr(layer, "layers") and hasattr(layer, "train_on_batch")


def _kind(layer: Any) -> str:
    name = type(layer).__name__
    if _is_model(layer) and name in ("Functional", "Model"):  # Keras 3's and Keras 2's word
        return "model"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name).lower()
