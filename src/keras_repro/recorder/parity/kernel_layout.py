"""Weights in one layout for every backend: TensorFlow's.

Theano convolves, with the kernel flipped, where the others correlate. The layers whose kernels
Keras 2.3.1 flips when it loads another backend's weights are those of
``keras.engine.saving.preprocess_weights_for_loading``; it flips every axis but the last two
(``keras.utils.conv_utils.convert_kernel``). Layers that wrap another are walked into, as there; a
layer of the script's own is what it derives from.
"""

from __future__ import annotations

from typing import Any, List, Optional, Set

import numpy

# How many of the layer's first weights are flipped.
FLIPPED = {
    "Conv1D": 1,
    "Conv2D": 1,
    "Conv3D": 1,
    "Conv2DTranspose": 1,
    "Conv3DTranspose": 1,
    "ConvLSTM2D": 2,
    "ConvLSTM2DCell": 2,
}


def flips(backend: str) -> bool:
    """Whether a Keras backend keeps its kernels flipped."""
    return backend == "theano"


def flipped_weights(kind: type) -> int:
    """Return how many of the first weights of a class of layers are flipped."""
    for base in kind.__mro__:
        if base.__name__ in FLIPPED:
            return FLIPPED[base.__name__]
        if base.__module__.startswith("keras."):  # DepthwiseConv2D is a Conv2D, and is not flipped
            break
    return 0


def flipped_first(layer: Any) -> Optional[int]:
    """Return how many of a layer's first weights are flipped; None where others are too."""
    if hasattr(layer, "forward_layer") and hasattr(layer, "backward_layer"):
        inside = flipped_first(layer.forward_layer), flipped_first(layer.backward_layer)
        return 0 if inside == (0, 0) else None
    inner = getattr(layer, "layer", None)
    if inner is not None and hasattr(inner, "get_weights"):
        return flipped_first(inner)
    return None if flipped_inside(layer) else flipped_weights(type(layer))


def converted(layer: Any, weights: List[Any]) -> List[Any]:
    """Return a layer's weights with the kernels flipped that are; twice gives what was.

    ``weights`` are in the order of ``layer.weights``: the trainable ones first.
    """
    if hasattr(layer, "forward_layer") and hasattr(layer, "backward_layer"):
        half = len(weights) // 2
        return converted(layer.forward_layer, weights[:half]) + converted(
            layer.backward_layer, weights[half:]
        )
    inner = getattr(layer, "layer", None)
    if inner is not None and hasattr(inner, "get_weights"):
        return converted(inner, weights)
    inside = flipped_inside(layer)
    if inside:
        known = zip(layer.weights, weights)
        return [flipped(w) if w is not None and id(v) in inside else w for v, w in known]
    count = flipped_weights(type(layer))
    # A gradient that is not there stays so.
    return [None if w is None else flipped(w) for w in weights[:count]] + list(weights[count:])


def flipped_inside(layer: Any, seen: Optional[Set[int]] = None) -> Set[int]:
    """Return the ids of the kernels that are flipped in layers which a script's layer holds.

    ``seen`` are the ids of the layers that were looked into: two layers may hold each other.
    """
    found: Set[int] = set()
    seen = set() if seen is None else seen
    if type(layer).__module__.startswith("keras.") or id(layer) in seen:
        return found
    seen.add(id(layer))
    for value in list(vars(layer).values()):
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if part is not layer and hasattr(part, "get_weights") and hasattr(part, "weights"):
                found.update(map(id, part.weights[: flipped_weights(type(part))]))
                found |= flipped_inside(part, seen)
    return found


def flipped(kernel: Any) -> Any:
    """Return a kernel with every axis reversed but the last two."""
    kernel = numpy.asarray(kernel)
    axes = (slice(None, None, -1),) * (kernel.ndim - 2)
    return numpy.array(kernel[axes])
