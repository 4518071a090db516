"""What so many seeds can tell, and how many it takes. For normal values, by calculation."""

from collections.abc import Callable
from functools import cache

import numpy as np

from keras_repro.numbers.chance.location import smallest_p
from keras_repro.numbers.chance.rates import MARGIN, rates_apart
from keras_repro.numbers.chance.within import ALPHA, welch
from keras_repro.numbers.differences import Array

ENOUGH = 0.8  # the power at which so many seeds are said to decide
MOST = 10_000  # seeds on each side that are thought of
POINTS = 61  # at which the deviation that is measured is taken, of each side


def power_within(
    shift: float, n: int, m: int, ratio: float, margin: float, deviations: float
) -> float:
    """Return how often two means are shown to be within the margin.

    All is in standard deviations of the expected seeds.

    Args:
        shift: how far the true means are apart.
        n: expected seeds.
        m: obtained seeds.
        ratio: the standard deviation of the obtained seeds.
        margin: the margin.
        deviations: the margin again where it is estimated, else 0.
    """
    from scipy import special  # noqa: PLC0415 - it takes its time

    sizes = _deviations(n - 1)[:, None]
    first = sizes**2 * (1 + deviations**2 / 2) / n  # of normal values, what a margin owes to each
    second = (ratio * _deviations(m - 1)) ** 2 / m
    error, freedom = welch(first, n, second, m)
    reach = special.stdtrit(freedom, 1 - ALPHA) * error
    room = np.maximum((sizes if deviations else 1.0) * margin - reach, 0.0)
    spread = np.sqrt(1 / n + ratio**2 / m)
    passes = special.ndtr((room - shift) / spread) - special.ndtr((-room - shift) / spread)
    return float(np.mean(passes))


def power_mean(shift: float, n: int, m: int, ratio: float, tests: int) -> float:
    """Return how often a difference of two means is found, where it is the only one.

    Args:
        shift: how far the true means are apart, in standard deviations of the expected seeds.
        n: expected seeds.
        m: obtained seeds.
        ratio: the standard deviation of the obtained seeds, in those of the expected ones.
        tests: how many tests are judged together.
    """
    from scipy import special  # noqa: PLC0415 - it takes its time

    error, freedom = welch(1 / n, n, ratio**2 / m, m)
    least = special.stdtrit(freedom, 1 - ALPHA / tests / 2)
    centre = abs(shift) / error
    # The noncentral t distribution, which SciPy's has no number for where the centre is far out.
    sizes = least * _deviations(float(freedom))
    missed = special.ndtr(sizes - centre) - special.ndtr(-sizes - centre)
    return float(1 - np.mean(missed))


def seeds_that_decide(
    shift: float, ratio: float, margin: float, deviations: float, tests: int
) -> int | None:
    """Return how many seeds on each side decide in 80 %, if the true difference is ``shift``.

    Either way: that it is within the margin, or that it is there. None where 10,000 do not.
    """

    def decides(count: int) -> bool:
        shown = power_within(shift, count, count, ratio, margin, deviations)
        found = power_mean(shift, count, count, ratio, tests)
        if smallest_p(count, count) > ALPHA / tests:  # however far the means are apart
            found = 0.0
        return max(shown, found) >= ENOUGH

    return _least(decides)


def seeds_for_rates(first: float, second: float) -> int | None:
    """Return how many seeds on each side show that two rates are alike; None where none do."""

    def decides(count: int) -> bool:
        low, high = rates_apart(round(first * count), count, round(second * count), count)
        return low > -MARGIN and high < MARGIN

    return _least(decides) if abs(first - second) < MARGIN else None


def _least(decides: Callable[[int], bool]) -> int | None:
    """Return the least count that decides, where every larger one does; None where none does."""
    if not decides(MOST):
        return None
    low, high = 2, MOST
    while low < high:
        middle = (low + high) // 2
        if decides(middle):
            high = middle
        else:
            low = middle + 1
    return high


@cache
def _deviations(freedom: float) -> Array:
    """Return what a standard deviation of normal values may be, of 1, at even quantiles."""
    from scipy import special  # noqa: PLC0415 - it takes its time

    quantiles = (np.arange(POINTS) + 0.5) / POINTS
    return np.asarray(np.sqrt(special.chdtri(freedom, 1 - quantiles) / freedom))
