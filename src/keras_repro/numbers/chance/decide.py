"""The decision on two ensembles: different, equivalent, or not to be told from so few seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.location import LEAST, p_of_location
from keras_repro.numbers.chance.rates import MARGIN, p_of_rates, rates_apart
from keras_repro.numbers.chance.spread import p_of_spread
from keras_repro.numbers.chance.within import (
    ALPHA,
    Margin,
    apart,
    deviation_of,
    rounding_of,
)
from keras_repro.numbers.differences import Array

FEWEST = 2  # seeds on each side that have a mean and a deviation


class Decision(StrEnum):
    """What is said of two ensembles, or of one scalar of theirs."""

    DIFFERENT = "different"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


class Question(StrEnum):
    """What is asked of a scalar: of its mean, of its spread, of the seeds that lie apart."""

    MEAN = "mean"
    SPREAD = "spread"
    RATE = "rate"


@dataclass(frozen=True)
class Scalar:
    """A number of each seed: ``expected`` [n] and ``obtained`` [m], float64.

    What is not finite stands for a seed that ended without a number. A scalar that is ``primary``
    has to be within its margin for two ensembles to be equivalent. ``same`` says that both sides
    are of the same seeds, and each gives the same number on both: no chance is in that.
    """

    name: str
    expected: Array
    obtained: Array
    margin: Margin
    primary: bool = True
    same: bool = False


@dataclass(frozen=True)
class Found:
    """What was found of one scalar; differences are obtained - expected, in its own units.

    The first of a pair is of the expected side. ``seeds`` are those that are compared, ``apart``
    those that lie apart. ``low`` and ``high`` are the interval of the difference of the means, NaN
    where a side has fewer than two seeds. ``rates`` is the interval of the difference of the
    rates, None where no seed lies apart. ``p`` has the p-value of each test that was made, and
    ``significant`` those that Benjamini and Hochberg's procedure takes for real.
    """

    scalar: Scalar
    seeds: tuple[int, int]
    apart: tuple[int, int]
    means: tuple[float, float]
    deviations: tuple[float, float]
    difference: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p_within: float = 1.0
    rates: tuple[float, float] | None = None
    p: dict[Question, float] = field(default_factory=dict)
    significant: frozenset[Question] = frozenset()

    @property
    def name(self) -> str:
        """The scalar's name."""
        return self.scalar.name

    @property
    def constant(self) -> bool:
        """Whether neither side varies."""
        return self.deviations == (0.0, 0.0)

    @property
    def mean_within(self) -> bool:
        """Whether the mean is shown to be within the margin; one and the same number is."""
        margin = self.scalar.margin.value
        same = self.constant and self.means[0] == self.means[1]
        return same or (self.low > -margin and self.high < margin)

    @property
    def rate_within(self) -> bool:
        """Whether the rates of seeds that lie apart are shown to be alike, where there are any."""
        return self.rates is None or (self.rates[0] > -MARGIN and self.rates[1] < MARGIN)

    @property
    def decision(self) -> Decision:
        """What is said of this scalar."""
        if self.scalar.same:
            return Decision.EQUIVALENT
        if Question.SPREAD in self.significant:
            return Decision.DIFFERENT
        if Question.RATE in self.significant and not self.rate_within:
            return Decision.DIFFERENT
        if Question.MEAN in self.significant and not self.mean_within:
            return Decision.DIFFERENT
        if self.mean_within and self.rate_within:
            return Decision.EQUIVALENT
        return Decision.INCONCLUSIVE

    @property
    def stated(self) -> bool:
        """Whether the means differ by more than chance, and yet are within the margin."""
        return Question.MEAN in self.significant and self.decision is Decision.EQUIVALENT


def decide(scalars: Sequence[Scalar], level: float = ALPHA, within: float = ALPHA) -> list[Found]:
    """Return what is found of each scalar.

    A test of the mean, a test of the spread and, where seeds lie apart, one of their rate is made
    of each; which of them are taken for real, Benjamini and Hochberg's procedure says over all of
    them at once, at a false discovery rate of 5 % (1995, doi:10.1111/j.2517-6161.1995.tb02031.x).

    Where it is not the only look at something, ``level`` is this look's share of the 5 %, and
    ``within`` that of each one-sided test of whether a mean or a rate is within its margin.
    """
    from scipy import stats  # noqa: PLC0415 - it takes its time

    near = [(_ordinary(one.expected), _ordinary(one.obtained)) for one in scalars]
    # Of a smaller level more deals are needed, to tell p-values about it from one another.
    least = LEAST if level >= ALPHA else min(LEAST, level / (2 * max(len(scalars), 1)))
    p = _p(near, least)
    each = [_measured(*one, within=within) for one in zip(scalars, near, p, strict=True)]
    asked = [(at, test) for at, found in enumerate(each) for test in found.p]
    if not asked:
        return each
    adjusted = stats.false_discovery_control([each[at].p[test] for at, test in asked])
    real = {pair for pair, p in zip(asked, adjusted, strict=True) if p <= level}
    return [
        replace(found, significant=frozenset(test for test in found.p if (at, test) in real))
        for at, found in enumerate(each)
    ]


def decision_of(found: Sequence[Found]) -> Decision:
    """Return the decision on the ensembles as a whole.

    They are different where any scalar is, primary or not; equivalent where every primary one is.
    The latter needs no correction for the number of scalars: each has to pass by itself (Berger,
    1982, doi:10.1080/00401706.1982.10487790).
    """
    if any(one.decision is Decision.DIFFERENT for one in found):
        return Decision.DIFFERENT
    primary = [one.decision for one in found if one.scalar.primary]
    if primary and all(one is Decision.EQUIVALENT for one in primary):
        return Decision.EQUIVALENT
    return Decision.INCONCLUSIVE


def _ordinary(values: Array) -> Array:
    return values[ordinary(values)]


def _p(near: list[tuple[Array, Array]], least: float) -> list[dict[Question, float]]:
    """Return the p-values of mean and spread, of scalars with as many seeds all at once."""
    found: list[dict[Question, float]] = [{} for _ in near]
    groups: dict[tuple[int, int], list[int]] = {}
    for at, (first, second) in enumerate(near):
        groups.setdefault((len(first), len(second)), []).append(at)
    for seeds, places in groups.items():
        if min(seeds) < FEWEST:
            continue
        expected, obtained = (np.stack([near[at][side] for at in places]) for side in (0, 1))
        for question, test in ((Question.MEAN, p_of_location), (Question.SPREAD, p_of_spread)):
            for at, p in zip(places, test(expected, obtained, least), strict=True):
                if question is Question.MEAN or not _is_rounding(*near[at]):
                    found[at][question] = float(p)
    return found


def _is_rounding(expected: Array, obtained: Array) -> bool:
    """Whether neither side is spread by more than rounding."""
    least = max(rounding_of(expected), rounding_of(obtained))
    return max(float(deviation_of(expected)), float(deviation_of(obtained))) <= least


def _measured(
    scalar: Scalar, near: tuple[Array, Array], p: dict[Question, float], within: float
) -> Found:
    first, second = near
    n, m = len(scalar.expected), len(scalar.obtained)
    seeds, outside = (len(first), len(second)), (n - len(first), m - len(second))
    rates = None
    if any(outside):
        p[Question.RATE] = p_of_rates(outside[0], n, outside[1], m)
        rates = rates_apart(outside[0], n, outside[1], m, within)
    if min(seeds) < FEWEST:
        nothing = (np.nan, np.nan)
        return Found(scalar, seeds, outside, nothing, nothing, rates=rates, p=p)
    found = apart(first, second, scalar.margin.value, scalar.margin.deviations or 0.0, within)
    deviations = float(deviation_of(first)), float(deviation_of(second))
    if rates is None and _is_rounding(first, second):
        # What never varies has no error: how many seeds might yet do otherwise, their count says.
        rates = rates_apart(0, n, 0, m, within)
    return Found(
        scalar,
        seeds,
        outside,
        (float(first.mean()), float(second.mean())),
        deviations,
        float(found.difference),
        float(found.low),
        float(found.high),
        float(found.p),
        rates,
        p,
    )
