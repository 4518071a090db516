"""A call of a layer, and what the layer computes: what both generations of Keras return."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy

INFERENCE, TRAINING = "inference", "training"
PHASES = (INFERENCE, TRAINING)


class Call(NamedTuple):
    """A layer called once in a model's forward pass.

    ``inputs`` and ``masks`` are its tensors' values, flat, a mask None where there is none, as
    they were before the call; ``rebuild`` makes the arguments of the call from such a list of
    tensors, and ``arguments`` is how they are written, nothing where they cannot be.
    """

    place: str
    layer: Any
    inputs: List[Any]
    masks: List[Any]
    outputs: List[Any]
    rebuild: Any
    arguments: str


class Computed(NamedTuple):
    """What a layer computed: outputs per phase, gradients of its weights and inputs.

    ``problem`` is why there are no gradients, where they cannot be computed; ``compiled`` says that
    they were computed compiled as a whole, as JAX does where it can.
    """

    outputs: Dict[str, List[Any]]
    weight_gradients: List[Any]
    input_gradients: List[Any]
    problem: str = ""
    compiled: bool = False


def weighing(shape: Tuple[int, ...]) -> Any:
    """Return a fixed weight from 0.5 to 1.5 for each element of an output, in float64.

    With weights that are all one, gradients could cancel by symmetry: those of a softmax do.
    """
    return numpy.random.RandomState(0).uniform(0.5, 1.5, shape)


def written(leaf: Any) -> str:
    """Return an argument that is no tensor as a source, nothing where it has none."""
    plain = leaf is None or isinstance(leaf, (bool, int, float, str))
    return repr(leaf) if plain else ""
