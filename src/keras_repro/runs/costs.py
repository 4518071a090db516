"""The costs of a run: the last one, and where they stop being numbers."""

import math
from collections.abc import Mapping

import numpy as np

from keras_repro.numbers.comparison import first_nonfinite
from keras_repro.numbers.differences import BFLOAT16
from keras_repro.recorder.contract import TRAIN, ArrayName, Kind
from keras_repro.runs.npz import Stored


def final_cost(arrays: Mapping[str, Stored], phase: str = TRAIN) -> float | None:
    """Return the last cost in a phase, ``train`` or ``test``, of the first model that has any.

    None where there is none, or where it is not finite.

    Raises:
        UnreadableError: the costs cannot be read, or are damaged.
    """
    names = [name for name in map(ArrayName.parse, arrays) if name[1:] == (Kind.COST, phase)]
    if not names:
        return None
    costs = arrays[str(min(names, key=lambda name: name.model))]
    if not costs.size or not (costs.dtype.kind == "f" or costs.name == BFLOAT16):
        return None
    last = float(np.ravel(costs.load())[-1])
    return last if math.isfinite(last) else None


def first_bad_cost(arrays: Mapping[str, Stored]) -> tuple[str, tuple[int, ...]] | None:
    """Return the name of the first costs that are not finite, and where they begin to be so.

    Raises:
        UnreadableError: the costs cannot be read.
    """
    for name, array in arrays.items():
        if ArrayName.parse(name).kind is Kind.COST:
            place = first_nonfinite(array)
            if place is not None:
                return name, place
    return None
