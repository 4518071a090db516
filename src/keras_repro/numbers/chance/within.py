"""How far two means are apart, and whether that is within a margin: two one-sided tests.

A margin is a number. One that a person gives in the scalar's own units is exact: then Schuirmann's
two one-sided t-tests (1987, doi:10.1007/BF01068419) in Welch's form hold, and "within" is said
wrongly in at most 5 % of all cases. One that is so many standard deviations of the expected seeds
is itself an estimate. Taken for exact it lets "within" be said of a true difference of just one
deviation in 5.8 % at 30 and 30 seeds, and in 12 % where the values are skewed.

So what the margin owes to each seed is counted in. With ``e`` the seed's distance from the mean,
``s`` the standard deviation and ``k`` of them as the margin, a seed moves ``k s`` by
``k (e^2 - s^2) / (2 s) / n``: the influence function of the standard deviation (Hampel and others,
1986, Robust Statistics, 2.1; the delta method of the infinitesimal jackknife, Efron, 1982, 6.3).
The upper test then is Welch's one-sided t-test of the obtained seeds against the expected ones that
carry their share of the margin, ``x + k s + k (e^2 - mean(e^2)) / (2 s)``, and the lower one alike
with a minus. The share is the seed's own, so skewed and heavy-tailed values are treated as what
they are. docs/chance.md shows what it comes to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_repro.numbers.differences import Array
from keras_repro.numbers.tolerances import DEFAULT

ALPHA = 0.05  # of each of the two one-sided tests, and of "different"
ROUNDING = DEFAULT.rtol  # of a mean: what seeds differ by less than that is not told from rounding


@dataclass(frozen=True)
class Margin:
    """How far two means may be apart: ``value``, in the scalar's own units.

    ``deviations`` says that it is so many standard deviations of the expected seeds; None where it
    was given as a number.
    """

    value: float
    deviations: float | None = None


@dataclass(frozen=True)
class Apart:
    """The difference of two means, obtained - expected, and the interval that it lies in.

    All are [...] float64. The interval's two ends are each passed in 5 % of all cases, or in what
    share was asked for. Where the margin is an estimate they have its uncertainty in them, so that
    "within" means that the interval lies within the margin. ``p`` is the larger one of the two
    one-sided p-values.
    """

    difference: Array
    low: Array
    high: Array
    p: Array

    def within(self, margin: Array | float) -> Array:
        """Return whether the interval lies within the margin on both sides, [...] booleans."""
        return np.asarray((self.low > -np.asarray(margin)) & (self.high < margin))


def own_margin(expected: Array, deviations: float = 1.0) -> Margin:
    """Return so many standard deviations of [n] expected seeds as a margin.

    Where that is less than rounding, it is what rounding may do to the mean, as a number: a
    training that converges ends with nearly the same cost for every seed. It is 0, and nothing is
    within it, where fewer than two seeds are there, or all give 0.
    """
    if len(expected) < 2:
        return Margin(0.0, deviations)
    value = deviations * float(deviation_of(expected))
    least = rounding_of(expected)
    return Margin(value, deviations) if value >= least else Margin(least)


def rounding_of(values: Array) -> float:
    """Return by how much rounding alone may move the mean of [n] values."""
    return ROUNDING * float(np.abs(values.mean()))


def deviation_of(expected: Array) -> Array:
    """Return the standard deviation of [..., n] seeds, with n - 1; 0 where none varies."""
    same = expected.max(-1) == expected.min(-1)
    return np.asarray(np.where(same, 0.0, expected.std(-1, ddof=1)))


def apart(
    expected: Array,
    obtained: Array,
    margin: Array | float,
    deviations: float,
    alpha: float = ALPHA,
) -> Apart:
    """Return how far [..., m] obtained seeds are from [..., n] expected ones, by their means.

    Args:
        expected: float64, finite, at least two seeds.
        obtained: the same.
        margin: what the means may differ by, [...] or one number.
        deviations: how many standard deviations of ``expected`` the margin is; 0 where it was
            given as a number.
        alpha: in which share of all cases each end of the interval is passed.
    """
    difference = obtained.mean(-1) - expected.mean(-1)
    around = expected - expected.mean(-1, keepdims=True)
    share = deviations * (around**2 - (around**2).mean(-1, keepdims=True))
    deviation = deviation_of(expected)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(deviation > 0, share / (2 * deviation), 0.0)
    variance, count = obtained.var(-1, ddof=1) / obtained.shape[-1], expected.shape[-1]
    ends, p = [], []
    for sign in (-1, 1):
        with_share = (expected + sign * share).var(-1, ddof=1) / count
        error, freedom = welch(with_share, count, variance, obtained.shape[-1])
        reach, beyond = _one_sided(error, freedom, margin - sign * difference, alpha)
        ends.append(difference + sign * reach)
        p.append(beyond)
    return Apart(difference, ends[0], ends[1], np.maximum(*p))


def welch(first: Any, n: int, second: Any, m: int) -> tuple[Array, Array]:
    """Return the standard error of a difference and Welch's degrees of freedom.

    ``first`` and ``second`` are the squared standard errors of the two means.
    """
    both = first + second
    with np.errstate(divide="ignore", invalid="ignore"):
        share = first / both  # squares of the two themselves may overflow
    freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))
    return np.sqrt(both), np.where(both > 0, freedom, 1.0)


def _one_sided(error: Array, freedom: Array, left: Any, alpha: float) -> tuple[Array, Array]:
    """Return how far an end of the interval is, and the p-value of "the margin is reached".

    ``left`` is how far the difference is from the margin.
    """
    from scipy import special  # noqa: PLC0415 - it takes its time, and scipy.stats ten times that

    reach = special.stdtrit(freedom, 1 - alpha) * error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = np.where(error > 0, left / error, np.where(left > 0, np.inf, -np.inf))
    return np.asarray(reach), np.asarray(special.stdtr(freedom, -t))
