"""How far arrays may be off, from how far they were seen to be moved. Pure.

Rounding differences grow by factors, so the logarithm of how far a run ends from another is about
normal. What a further run stays below is a one-sided tolerance limit of a normal distribution
(NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.6.3): the mean of the logarithms and ``k``
times their standard deviation, where ``k`` comes from the noncentral t distribution. It covers a
share of ``CONTENT`` of all runs with a probability of ``CONFIDENCE``, whatever the mean and the
deviation of all runs are. Runs that do not move an array say nothing of how far it moves, and
are left out of both. Where fewer than ``FEWEST`` move it, it may be off by ``MOST`` times what was
seen, which is also the most anywhere.
"""

import math
from functools import cache

import numpy as np

from keras_repro.numbers.differences import Array
from keras_repro.numbers.envelopes import Envelope

CONTENT, CONFIDENCE = 0.999, 0.95
FEWEST, MOST = 8, 30.0
CHAOS = 0.1  # of an array's size: what rounding moves so far is not judged
GROWTH = 1.25  # from one stretch of a series to the next
NEAR = 0.05  # of a series' length: rows in which a difference may as well show
LEAST = 1e-300
DIGITS = 3  # of a bound, rounded up
FLOOR_UNITS = 4  # in the last place: what nothing moves may still be rounded


@cache
def factor(runs: int) -> float:
    """Return ``k``: how many standard deviations above the mean the limit is, from so many runs."""
    from scipy import special  # noqa: PLC0415 - it takes its time, and scipy.stats ten times that

    shift = math.sqrt(runs) * special.ndtri(CONTENT)
    return float(special.nctdtrit(runs - 1, shift, CONFIDENCE) / math.sqrt(runs))


def envelope(distances: Array, near: Array, sizes: Array, unit: float) -> Envelope:
    """Return how far each row of an array may be off.

    Args:
        distances: how far each run is from what is expected, [runs, rows], float64, finite.
        near: the same; of a series what ``in_reach`` makes of it.
        sizes: how large the array is in each row, [rows], float64.
        unit: the difference of 1 and the next number of the array's dtype; 0 of integers.
    """
    rtol = FLOOR_UNITS * unit
    if not distances.any():
        return Envelope.of((0,), (0.0,), rtol)
    bounds = _limits(near)
    chaotic = distances.max(axis=0) >= CHAOS * sizes
    if unit == 0:  # integers are equal or not
        chaotic = distances.max(axis=0) > 0
    judged = int(np.argmax(chaotic)) if chaotic.any() else len(sizes)
    starts = [start for start in _starts(len(sizes)) if start < judged]
    stops = [*starts[1:], judged]
    found = [_up(float(bounds[a:b].max())) for a, b in zip(starts, stops, strict=False)]
    if judged < len(sizes):
        starts, found = [*starts, judged], [*found, math.inf]
    return Envelope.of(tuple(starts), tuple(found), rtol)


def beyond(distances: Array, expected: Array, allowed: Envelope) -> float:
    """Return how many times as far as is allowed a run is, in the row where that is most.

    ``distances`` and ``expected``, the largest absolute value, have an element a row.
    """
    worst = 0.0
    for start, stop, tolerance in allowed.stretches(len(distances)):
        bound = tolerance.atol + tolerance.rtol * expected[start:stop]
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.where(distances[start:stop] == 0, 0.0, distances[start:stop] / bound)
        worst = max(worst, float(times.max()))
    return worst


def _limits(spread: Array) -> Array:
    """Return how far each row may be off, [rows], from how far runs were, [runs, rows]."""
    moved = spread > 0
    counts, largest = moved.sum(axis=0), spread.max(axis=0)
    logs = np.log(np.where(moved, spread, 1.0))
    some = np.maximum(counts, 2)
    mean = logs.sum(axis=0) / some
    squares = np.where(moved, logs - mean, 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=0) / (some - 1))
    k = np.array([factor(max(int(count), FEWEST)) for count in counts])
    with np.errstate(over="ignore"):
        limits = np.where(counts < FEWEST, np.inf, np.exp(mean + k * deviation))
    return np.asarray(np.clip(limits, largest, MOST * largest))


def in_reach(distances: Array) -> Array:
    """Return the largest distance in the rows near each: it passes through zero where it turns."""
    from scipy import ndimage  # noqa: PLC0415 - it takes its time

    reach = 1 + 2 * max(1, round(NEAR * distances.shape[1]))
    return np.asarray(ndimage.maximum_filter1d(distances, reach, axis=1, mode="nearest"))


def _starts(rows: int) -> list[int]:
    """Return where stretches begin, each by a quarter longer than all before it."""
    starts, at = [0], 1
    while at < rows:
        starts.append(at)
        at = max(at + 1, math.floor(at * GROWTH))
    return starts


def _up(value: float) -> float:
    """Return a bound in few digits, rounded up; one that is next to nothing as it is."""
    if value < LEAST:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{math.ceil(value / step) * step:.{DIGITS}g}")
