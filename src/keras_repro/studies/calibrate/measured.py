"""How far runs are from a baseline, array by array, and in series row by row."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers import spread
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict
from keras_repro.numbers.differences import BFLOAT16, Array, widened
from keras_repro.numbers.envelopes import Envelope
from keras_repro.numbers.rounding import UNITS
from keras_repro.numbers.summaries import Summary, summarized
from keras_repro.recorder.contract import ArrayName, Kind
from keras_repro.runs.baselines import Baseline
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.check import compare_stored

# Of the largest array of its kind, or of the largest row of its series: what is smaller, a bias
# before a batch normalization say, is rounding of larger numbers, and has no size of its own.
LEAST_SIZE = 1e-3
ANOTHER = (Verdict.SHAPE, Verdict.DTYPE, Verdict.MISSING, Verdict.UNEXPECTED)


@dataclass(frozen=True)
class Measured:
    """How far each run is from what is expected, for one array.

    ``distances`` is [runs, rows], ``sizes`` how large the array is in each row and ``expected`` its
    largest absolute value there; float64. An array that is no series has one row. ``unit`` is the
    difference of 1 and the next number of its dtype, 0 of integers. ``near`` has the largest
    distance of the rows near each.
    """

    distances: Array
    sizes: Array
    expected: Array
    unit: float
    near: Array

    def bounds(self, runs: Array) -> Envelope:
        """Return what these runs, a mask of booleans, say that it may be off by."""
        return spread.envelope(self.distances[runs], self.near[runs], self.sizes, self.unit)

    def beyond(self, run: int, allowed: Envelope) -> float:
        """Return how many times as far as is allowed a run is."""
        return spread.beyond(self.distances[run], self.expected, allowed)


def measure(
    runs: Mapping[str, Run | Baseline], rounding: set[str], expected: Mapping[str, Kept]
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Return how far the runs are from what is expected, and {array: why that is not known}.

    ``rounding`` names the runs whose initial weights were moved: of these they say nothing.
    """
    compared = [
        {c.name: c for c in compare_stored(run.all_arrays, expected, lambda _: EXACT)}
        for run in runs.values()
    ]
    sizes = {name: _size_and_largest(array) for name, array in expected.items()}
    found, unbounded = {}, {}
    for name in dict.fromkeys(name for each in compared for name in each):
        each = {run: one[name] for run, one in zip(runs, compared, strict=True) if name in one}
        problem = _problem(each, len(runs))
        if problem or name not in expected:
            unbounded[name] = problem or "the baseline has no such array"
            continue
        parsed, array = ArrayName.parse(name), expected[name]
        if not isinstance(array, Summary) and (parsed.is_per_step or parsed.kind is Kind.HISTORY):
            found[name] = _series([run.arrays[name] for run in runs.values()], array)
            continue
        moved = [
            0.0
            if parsed.kind is Kind.INITIAL_WEIGHT and run in rounding
            else float(one.max_absolute or 0.0)
            for run, one in each.items()
        ]
        of_kind = [size for other, (size, _) in sizes.items() if _alike(parsed, other)]
        size, largest = sizes[name]
        found[name] = Measured(
            np.array(moved)[:, None],
            np.array([max(size, LEAST_SIZE * max(of_kind))]),
            np.array([largest]),
            _unit(array),
            np.array(moved)[:, None],
        )
    return found, unbounded


def _problem(each: Mapping[str, Comparison], runs: int) -> str:
    """Return why nothing can be measured of an array; mostly nothing."""
    for run, comparison in each.items():
        if comparison.verdict in (*ANOTHER, Verdict.NONFINITE):
            return f"{comparison.verdict} with {run}"
        if comparison.differing and comparison.max_absolute is None:
            return f"{run} changes it, and it is not of numbers"
    return "" if len(each) == runs else "some runs have no such array"


def _series(runs: list[Stored], expected: Stored) -> Measured:
    theirs = _rows(expected)
    size = np.abs(theirs).max(axis=1, initial=0.0)
    with np.errstate(invalid="ignore"):
        distances = [np.abs(_rows(run) - theirs).max(axis=1, initial=0.0) for run in runs]
    # What is not finite on both sides alike is as it should be.
    moved = np.nan_to_num(np.array(distances), nan=0.0, posinf=0.0)
    finite = np.nan_to_num(size, nan=0.0, posinf=0.0)
    sizes = np.maximum(finite, LEAST_SIZE * finite.max(initial=0.0))
    return Measured(moved, sizes, finite, _unit(expected), spread.in_reach(moved))


def _rows(array: Stored) -> Array:
    """Return a series as float64, [rows, values]."""
    read = array.read(0, array.size)
    wide = widened(read) if array.name == BFLOAT16 else read
    rows = array.shape[0] if array.shape else 1
    return np.asarray(wide, np.float64).reshape(rows, -1)


def _size_and_largest(array: Kept) -> tuple[float, float]:
    """Return the root mean square and the largest absolute value of the finite elements."""
    figures = (array if isinstance(array, Summary) else summarized(array)).figures
    count = array.size - (figures.nonfinite or 0)
    size = (figures.norm or 0.0) / math.sqrt(count) if count else 0.0
    return size, max(abs(figures.minimum or 0.0), abs(figures.maximum or 0.0))


def _alike(parsed: ArrayName, other: str) -> bool:
    theirs = ArrayName.parse(other)
    return (theirs.model, theirs.kind) == (parsed.model, parsed.kind)


def _unit(array: Kept) -> float:
    if array.name in UNITS:
        return UNITS[array.name]
    return float(np.finfo(array.dtype).eps) if array.dtype.kind in "fc" else 0.0
