"""The few numbers of a run that ensembles are compared by."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from keras_repro.numbers.differences import BFLOAT16, widened
from keras_repro.numbers.summaries import Figures, Summary, summarized
from keras_repro.recorder.contract import TEST, TRAIN, ArrayName, Kind, in_order
from keras_repro.runs.ensemble import MOST_SCALARS
from keras_repro.runs.summaries import Kept

FRACTIONS = (0.1, 0.25, 0.5)  # of a training, whose costs are taken besides the last


def scalars_of(arrays: Mapping[str, Kept]) -> dict[str, float]:
    """Return the numbers of a run by name, in the order in which they are kept; NaN where it is so.

    ``costs/test``, ``metrics/test.NAME``
        of the last evaluation
    ``costs/train``, ``metrics/train.NAME``, ``history/NAME``
        the last one; of histories, what is of validation
    ``costs/train@25%``
        the cost after a tenth, a quarter and half of the steps
    ``predictions/NAME``
        the standard deviation of what was predicted last
    ``weights/LAYER``
        the Euclidean norm of a layer's weights

    What seeds are compared with each other for stands in agreement.py.

    Raises:
        UnreadableError: an array is damaged.
    """
    found: dict[str, float] = {}
    for name in _last_values(arrays):
        found[name] = _at(arrays[name], -1)
    for name, parsed in _of(arrays, Kind.COST):
        if parsed.rest == TRAIN:
            for fraction in FRACTIONS:
                at = max(math.ceil(fraction * arrays[name].size) - 1, 0)
                found[f"{name}@{fraction:.0%}"] = _at(arrays[name], at)
    for name in last_predictions(arrays).values():
        found[name] = _deviation(arrays[name])
    layers: dict[str, float] = {}
    for name, _ in _of(arrays, Kind.WEIGHT):
        layer = name.rpartition(".")[0] or name
        layers[layer] = layers.get(layer, 0.0) + _norm(arrays[name]) ** 2
    return found | {layer: math.sqrt(square) for layer, square in layers.items()}


def last_predictions(arrays: Mapping[str, Kept]) -> dict[str, str]:
    """Return the name of the last prediction of each model, and of each of its leaves."""
    return {
        f"{parsed.model} {parsed.rest.partition('.')[2]}": name
        for name, parsed in _of(arrays, Kind.PREDICTION)
    }


def primary_of(names: Iterable[str]) -> list[str]:
    """Return which numbers count where nobody says so: what an evaluation said.

    Where there was none, what was validated last; else the last costs of training.
    """
    parsed = {name: ArrayName.parse(name) for name in names if "@" not in name}
    for chosen in (_is_test, _is_validation, _is_train_cost):
        found = [name for name, one in parsed.items() if chosen(one)]
        if found:
            return found
    return []


def chosen(names: list[str], primary: list[str]) -> list[str]:
    """Return the names that are kept: at most twenty, the primary ones first."""
    others = [name for name in names if name not in primary]
    return [*primary, *others][:MOST_SCALARS]


def _last_values(arrays: Mapping[str, Kept]) -> list[str]:
    """Return the names of arrays of which the last value is kept, those of evaluations first."""
    by_kind = [_of(arrays, kind) for kind in (Kind.COST, Kind.METRIC, Kind.HISTORY)]
    every = [pair for of_kind in by_kind for pair in of_kind]
    tests = [name for name, one in every if _is_test(one)]
    trained = [name for name, one in every if not _is_test(one) and one.kind is not Kind.HISTORY]
    return [*tests, *(name for name, one in every if _is_validation(one)), *trained]


def _of(arrays: Mapping[str, Kept], kind: Kind) -> list[tuple[str, ArrayName]]:
    """Return the arrays of numbers that are of a kind, in order."""
    names = sorted(arrays, key=in_order)
    every = [(name, ArrayName.parse(name)) for name in names if _is_of_numbers(arrays[name])]
    return sorted(((n, one) for n, one in every if one.kind is kind), key=lambda it: it[1].model)


def _is_of_numbers(array: Kept) -> bool:
    return array.size > 0 and (array.name == BFLOAT16 or array.dtype.kind in "biuf")


def _is_test(name: ArrayName) -> bool:
    if name.kind is Kind.METRIC:
        return name.rest.startswith(f"{TEST}.")
    return name.kind is Kind.COST and name.rest == TEST


def _is_validation(name: ArrayName) -> bool:
    return name.kind is Kind.HISTORY and name.rest.partition(".")[2].startswith("val_")


def _is_train_cost(name: ArrayName) -> bool:
    return name.kind is Kind.COST and name.rest == TRAIN


def _at(array: Kept, place: int) -> float:
    """Return one element; NaN of an array that was too large to be kept."""
    if isinstance(array, Summary):
        return math.nan
    place %= array.size
    read = array.read(place, place + 1)
    return float(np.asarray(widened(read) if array.name == BFLOAT16 else read)[0])


def _figures(array: Kept) -> Figures:
    return (array if isinstance(array, Summary) else summarized(array)).figures


def _norm(array: Kept) -> float:
    figures = _figures(array)
    return math.nan if figures.nonfinite else figures.norm or 0.0


def _deviation(array: Kept) -> float:
    figures = _figures(array)
    if figures.nonfinite or figures.mean is None or figures.norm is None:
        return math.nan
    return math.sqrt(max(figures.norm**2 / array.size - figures.mean**2, 0.0))
