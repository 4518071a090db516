"""Name and read a model's weights, the same way under Keras 2.3.1 and Keras 3."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Set, Tuple


def each_weight(model: Any) -> Iterator[Tuple[str, Any]]:
    """Yield ``model``'s weights one by one, named ``<layer index>.<layer kind>.<weight>``.

    The index counts the layers without the input layers, which the two generations of Keras
    list differently. The layers of a nested model carry its key in front of theirs:
    ``1.sequential.0.dense.kernel``. What belongs to the model itself comes under ``model``.
    An array may be a window on memory that training goes on changing (PyTorch): use it at once,
    or copy it.
    """
    seen: Set[int] = set()
    for prefix, layer in _layers(model, ""):
        yield from _read_layer(prefix, layer, seen)
    if any(id(variable) not in seen for variable in model.weights):
        yield from _read_layer("model.", model, seen)


def copy_weights(model: Any) -> Dict[str, Any]:
    """Return copies of ``model``'s weights by name."""
    return {name: value.copy() for name, value in each_weight(model)}


def walk(model: Any) -> Iterator[Tuple[str, Any]]:
    """Yield (place, layer) of each layer that is no model itself, places as in the names."""
    for prefix, layer in _layers(model, ""):
        if not _is_model(layer):
            yield prefix[:-1], layer


def _layers(model: Any, prefix: str) -> Iterator[Tuple[str, Any]]:
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    for index, layer in enumerate(layers):
        name = "%s%d.%s." % (prefix, index, _kind(layer))
        if _is_model(layer):
            yield from _layers(layer, name)
        yield name, layer


def _read_layer(prefix: str, layer: Any, seen: Set[int]) -> Iterator[Tuple[str, Any]]:
    variables = list(layer.weights)
    names: List[str] = []
    for variable in variables:
        name = re.sub(r":\d+$", "", variable.name.split("/")[-1])
        count = sum(known == name or known.startswith(name + "#") for known in names)
        names.append("%s#%d" % (name, count + 1) if count else name)
    for name, variable, value in zip(names, variables, layer.get_weights()):
        if id(variable) not in seen:
            seen.add(id(variable))
            yield prefix + name.replace("#", "_"), value


def _is_model(layer: Any) -> bool:
    return hasattr(layer, "layers") and hasattr(layer, "train_on_batch")


def _kind(layer: Any) -> str:
    name = type(layer).__name__
    if _is_model(layer) and name in ("Functional", "Model"):  # Keras 3's and Keras 2's word
        return "model"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name).lower()
