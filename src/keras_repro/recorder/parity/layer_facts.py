"""What is kept in words of a layer's call, and the names of weights."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List, Tuple

from keras_repro.recorder.parity import kernel_layout
from keras_repro.recorder.parity.calls import Call
from keras_repro.recorder.parity.problems import one_line
from keras_repro.recorder.weights import walk


def layer_facts(call: Call, key: str, number: int, phase: str) -> Dict[str, Any]:
    """Return the facts of the ``number``-th call of a layer, made in ``phase``."""
    layer = call.layer
    of_keras = type(layer).__module__.startswith("keras.")  # else nobody asks
    return {
        "key": key,
        "place": call.place,
        "call": number,
        "phase": phase,
        "name": layer.name,
        "class": _class_name(type(layer)),
        "module": type(layer).__module__,
        "config": _config(layer),
        "dtype": str(getattr(layer, "compute_dtype", None) or "float32"),
        "arguments": call.arguments,
        "takes_training": bool(getattr(layer, "_call_has_training_arg", False)),
        "trainable": _weight_names(layer.trainable_weights),
        "flipped": kernel_layout.flipped_first(layer) if of_keras else None,
    }


def trainable_places(model: Any) -> List[Tuple[str, Any, int]]:
    """Return (place, layer, index among the layer's weights) of each trainable weight."""
    known: Dict[int, Tuple[str, Any, int]] = {}
    for place, layer in walk(model):
        for index, weight in enumerate(layer.weights):
            known.setdefault(id(weight), (place, layer, index))
    return [
        known.get(id(weight), ("model", model, index))
        for index, weight in enumerate(model.trainable_weights)
    ]


def _class_name(layer_class: Any) -> str:
    """Return the name by which a layer is imported: some classes of Keras are called otherwise."""
    offered = vars(getattr(sys.modules.get("keras"), "layers", None) or object)
    name = str(layer_class.__name__)
    if offered.get(name) is layer_class:
        return name
    return next((each for each, value in offered.items() if value is layer_class), name)


def _config(layer: Any) -> Any:
    try:
        return json.loads(json.dumps(layer.get_config(), default=repr))
    except Exception as error:  # a layer of the script's own may have none
        return {"no configuration": one_line(error)}


def _weight_names(weights: List[Any]) -> List[str]:
    """Return the weights' own names, with a number where several have the same."""
    names = [str(weight.name).split("/")[-1].split(":")[0] for weight in weights]
    return [
        "%s %d" % (name, names[: index + 1].count(name)) if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]
