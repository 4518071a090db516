"""How far seeds agree in what they predict, where they predict from the same data."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from keras_repro.errors import KerasReproError
from keras_repro.numbers.differences import BFLOAT16, Array, widened
from keras_repro.numbers.summaries import Summary
from keras_repro.recorder.contract import ArrayName
from keras_repro.runs.run import Run
from keras_repro.runs.trail import Data
from keras_repro.studies.ensemble.scalars import last_predictions

FEWEST = 3  # seeds, of which each is compared with all others
MOST = 1 << 20  # elements of a prediction
CLASSES, DISTANCE = "classes", "distance"


def agreement(runs: Mapping[int, Run]) -> dict[str, dict[int, float]]:
    """Return {name: {seed: number}} of the predictions that were made last, of each model.

    ``predictions/NAME@distance``
        the root of the mean square of the difference, over all elements and all pairs of seeds
    ``predictions/NAME@classes``
        in what share of the rows the largest value is in the same place, on average over all
        pairs; where rows have several values that add up to 1

    A seed's number is the jackknife's pseudo-value: n times what all seeds give, less n - 1 times
    what they give without it. Every seed is in the pairs of every other one, so that numbers of
    their own would have much in common, and a test of their means would find a difference in a
    third of all cases where there is none. Source: Efron, The Jackknife, the Bootstrap and Other
    Resampling Plans, 1982, chapter 3.

    Nothing is returned of predictions that other data went into, or that are not kept whole; NaN
    of a seed whose predictions are not finite.
    """
    if len(runs) < FEWEST:
        return {}
    found: dict[str, dict[int, float]] = {}
    try:
        each = {seed: last_predictions(run.all_arrays) for seed, run in runs.items()}
        first = next(iter(each.values()))
        for key, name in first.items():
            names = {seed: of.get(key) for seed, of in each.items()}
            if set(names.values()) != {name} or not _same_data(runs, ArrayName.parse(name).model):
                continue
            values = {seed: _whole(run, name) for seed, run in runs.items()}
            arrays = {seed: value for seed, value in values.items() if value is not None}
            if len(arrays) == len(runs) and len({value.shape for value in arrays.values()}) == 1:
                found |= _of(name, arrays)
    except KerasReproError:  # a trail may hold anything; an array that is damaged, check says
        return {}
    return found


def _of(name: str, arrays: Mapping[int, Array]) -> dict[str, dict[int, float]]:
    finite = {seed: value for seed, value in arrays.items() if bool(np.isfinite(value).all())}
    if len(finite) < FEWEST:
        return {}
    stacked = np.stack([value.astype(np.float64) for value in finite.values()])
    numbers = {DISTANCE: _pseudo_values(_squares(stacked), np.sqrt)}
    if stacked.ndim > 2 and _are_classes(stacked):
        numbers[CLASSES] = _pseudo_values(_same_classes(stacked), np.positive)
    return {
        f"{name}@{kind}": dict.fromkeys(arrays, math.nan)
        | dict(zip(finite, map(float, each), strict=True))
        for kind, each in numbers.items()
    }


def _pseudo_values(sums: Array, of: Callable[[Array], Array]) -> Array:
    """Return the pseudo-values of a function of the mean over pairs; [n] from each one's sum, [n].

    A pair counts in the sums of both.
    """
    count, total = len(sums), sums.sum()
    whole = of(np.maximum(total, 0) / (count * (count - 1)))
    without = of(np.maximum(total - 2 * sums, 0) / ((count - 1) * (count - 2)))
    return np.asarray(count * whole - (count - 1) * without)


def _squares(stacked: Array) -> Array:
    """Return the sum of each of n arrays' mean squared differences from the others, [n]."""
    count = len(stacked)
    flat = stacked.reshape(count, -1)
    flat = flat - flat.mean(axis=0)  # of numbers far from 0 few digits would be left
    squares = (flat**2).mean(axis=1)
    return np.asarray(count * squares + squares.sum())  # what is mixed adds up to 0


def _same_classes(stacked: Array) -> Array:
    """Return of each of n arrays the sum of the shares of rows in which others have its class."""
    count, classes = len(stacked), stacked.shape[-1]
    largest = stacked.reshape(count, -1, classes).argmax(axis=-1)
    votes = np.stack([(largest == one).sum(axis=0) for one in range(classes)])
    of_own = np.take_along_axis(votes, largest, axis=0)
    return np.asarray((of_own - 1).mean(axis=1))


def _are_classes(stacked: Array) -> bool:
    sums = stacked.sum(axis=-1)
    return stacked.shape[-1] > 1 and bool(stacked.min() >= 0 and np.allclose(sums, 1, atol=1e-3))


def _whole(run: Run, name: str) -> Array | None:
    """Return an array of numbers; None where it is not kept whole, too large, or of none."""
    kept = run.all_arrays[name]
    if isinstance(kept, Summary) or not 0 < kept.size <= MOST:
        return None
    value = widened(kept.load()) if kept.name == BFLOAT16 else kept.load()
    return value if value.dtype.kind in "biuf" else None


def _same_data(runs: Mapping[int, Run], model: int) -> bool:
    """Return whether a model predicted from the same data last, in every run."""
    digests = {_predicted_from(run, model) for run in runs.values()}
    return len(digests) == 1 and () not in digests and None not in next(iter(digests))


def _predicted_from(run: Run, model: int) -> tuple[str | None, ...]:
    trail = run.trail.trail
    found: dict[str, str | None] = {}
    for link in () if trail is None else trail.links:
        if isinstance(link, Data) and link.model == model and link.call.startswith("predict"):
            found[link.argument] = None if link.value is None else link.value.digest
    return tuple(found.values())
