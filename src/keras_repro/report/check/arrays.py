"""The arrays of a run or a baseline, as far as they can be drawn or summed up."""

from collections.abc import Mapping

import numpy as np

from keras_repro.errors import KerasReproError
from keras_repro.numbers.differences import BFLOAT16, Array
from keras_repro.recorder import contract
from keras_repro.runs.baselines import Baseline
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run, open_arrays
from keras_repro.runs.summaries import Kept

MOST_ELEMENTS = 1 << 22  # of an array that is drawn or summed up whole


def arrays_of(side: Run | Baseline | None) -> Mapping[str, Stored]:
    """Return the arrays of a run or a baseline; none where it has none that can be read."""
    if side is None:
        return {}
    try:
        return side.arrays
    except KerasReproError:
        return {}


def all_of(side: Run | Baseline | None) -> Mapping[str, Kept]:
    """Return them, and the summaries of those that were not kept."""
    try:
        return {} if side is None else side.all_arrays
    except KerasReproError:
        return {}


def given_to(run: Run | None) -> Mapping[str, Stored]:
    """Return the data that a run kept of what its script was given; none where there are none."""
    if run is None:
        return {}
    try:
        return open_arrays(run.folder / contract.INPUTS, {})
    except KerasReproError:
        return {}


def real_array(arrays: Mapping[str, Stored], name: str) -> Array | None:
    """Return an array of real numbers that is small enough to draw, else None."""
    stored = arrays.get(name)
    if stored is None or stored.size > MOST_ELEMENTS:
        return None
    if stored.dtype.kind not in "biuf" and stored.name != BFLOAT16:
        return None
    try:
        return stored.load()
    except KerasReproError:
        return None


def apart(mine: Array, theirs: Array) -> Array:
    """Return how far two arrays are apart, float64, 1-D: as long as the shorter, finite alone."""
    count = min(mine.size, theirs.size)
    with np.errstate(all="ignore"):
        found = np.abs(
            mine.reshape(-1)[:count].astype(float) - theirs.reshape(-1)[:count].astype(float)
        )
    return np.asarray(found[np.isfinite(found)])
