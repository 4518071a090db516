"""Compute a layer in float64: what its float32 results are to be held against."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

import numpy

from keras_repro.recorder.parity.calls import Computed

OWN = "keras.src."  # where Keras 3 has its own layers


class Later(NamedTuple):
    """A layer to be computed in float64 when the script has ended, and the facts of its call."""

    facts: Dict[str, Any]
    layer: Any
    rebuild: Any
    inputs: List[Any]
    masks: List[Any]
    weights: List[Any]


def compute(ops: Any, later: Later) -> Computed:
    """Return what a layer computes in float64, from the inputs and weights that it had.

    ``ops`` is ``keras2`` or ``keras3``, told to use float64. What the layer raises is raised.
    """
    inputs = [_wide(value) for value in later.inputs]
    weights = [_wide(value) for value in later.weights]
    wide = _in_float64(later.layer)
    computed: Computed = ops.compute(wide, later.rebuild, inputs, later.masks, weights)
    return computed


def _in_float64(layer: Any) -> Any:
    """Return a layer of the same configuration that computes in float64; not built yet."""
    is_own = type(layer).__module__.startswith(OWN)
    return type(layer).from_config(_float64_config(layer.get_config(), is_own))


def _float64_config(config: Any, is_own: bool) -> Any:
    """Return a configuration with every dtype, and dtype policy of Keras 3, as float64.

    Where it is of a layer that is Keras' own, its weights begin as zeros: they are given later, and
    drawing them takes longer than all else. Other layers may make more of an initializer.
    """
    if isinstance(config, dict):
        if "module" in config:  # of a layer within a layer
            is_own = is_own and str(config["module"]).startswith("keras.")
        if config.get("class_name") == "DTypePolicy":
            return "float64"
        return {
            name: _float64_value(name, value, is_own)
            for name, value in config.items()
            if name != "batch_input_shape"  # Keras 2 would make an input of it, in float32
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_float64_config(part, is_own) for part in config)
    return config


def _float64_value(name: str, value: Any, is_own: bool) -> Any:
    if name == "dtype" and value == "float32":
        return "float64"
    if is_own and name.endswith("_initializer") and isinstance(value, dict):
        return "zeros"
    return _float64_config(value, is_own)


def _wide(value: Any) -> Any:
    array = numpy.asarray(value)
    return array.astype(numpy.float64) if array.dtype.kind == "f" else array
