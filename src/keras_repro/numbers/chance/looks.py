"""Look at a point with few seeds, then with more; and how often that finds what there is.

Each look is another chance to err, so each has its share of what may go wrong at the point, and
the shares sum up to the whole (Bonferroni's inequality; it asks nothing of how the looks hang
together, which they do, as each has all seeds of the one before).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Decision, Found, Scalar, decide, decision_of
from keras_repro.numbers.chance.within import ALPHA, Margin, own_margin
from keras_repro.numbers.differences import Array

FIRST = 5  # seeds at the first look
DRAWS = 200  # of which a rate is known to 3.5 points at most


@dataclass(frozen=True)
class Look:
    """How many seeds there are when it is looked, and its share of what may go wrong."""

    seeds: int
    share: float


def looks(most: int) -> list[Look]:
    """Return the looks at a point of at most so many seeds: 5, 10, 20, ... and ``most``.

    The last has half of what may go wrong, since what many seeds show is small; to the others, who
    find what is large, half is enough.
    """
    counts, count = [], FIRST
    while 4 * count <= 3 * most:  # one just before the last would cost its share for nothing
        counts.append(count)
        count *= 2
    if not counts:
        return [Look(most, 1.0)]
    return [*(Look(count, 0.5 / len(counts)) for count in counts), Look(most, 0.5)]


def look_at(scalars: Sequence[Scalar], look: Look, level: float) -> list[Found]:
    """Return what is found at a look; ``level`` is in how many cases the point may go wrong."""
    return decide(scalars, level * look.share, ALPHA * look.share)


@dataclass(frozen=True)
class Truth:
    """What a scalar is in truth: pairs of the good point and another one; values are normal.

    ``rates`` are the shares of seeds without a number.
    """

    means: tuple[float, float]
    deviations: tuple[float, float]
    margin: Margin
    rates: tuple[float, float] = (0.0, 0.0)


def truth_of(found: Found) -> Truth | None:
    """Return the truth that is just what was found; None where there are no means."""
    counts = len(found.scalar.expected), len(found.scalar.obtained)
    rates = found.apart[0] / counts[0], found.apart[1] / counts[1]
    if not np.isfinite(found.means).all():
        return None
    return Truth(found.means, found.deviations, found.scalar.margin, rates)


def share_found(truths: Sequence[Truth], most: int, level: float, draws: int = DRAWS) -> float:
    """Return in which share of all cases a point is found to differ, where this is the truth.

    By trying: ``draws`` times seeds are drawn, ``most`` of the good point, and of the other one
    those of the first look; then they are decided on as those of a search are. Always the same.
    """
    generator = np.random.Generator(np.random.PCG64(1))
    drawn = [[_drawn(one, most, generator) for one in truths] for _ in range(draws)]
    found, left = 0, drawn
    # All of one look first: it has its deals, which take their time to be made.
    for look in looks(most):
        decisions = [
            decision_of(look_at(list(_first(one, look.seeds)), look, level)) for one in left
        ]
        found += decisions.count(Decision.DIFFERENT)
        pairs = zip(left, decisions, strict=True)
        left = [one for one, decision in pairs if decision is Decision.INCONCLUSIVE]
    return found / draws


def _drawn(truth: Truth, count: int, generator: np.random.Generator) -> Scalar:
    sides = []
    for mean, deviation, rate in zip(truth.means, truth.deviations, truth.rates, strict=True):
        values = mean + deviation * generator.standard_normal(count)
        sides.append(np.where(generator.random(count) < rate, np.nan, values))
    return Scalar("", sides[0], sides[1], _margin(truth, sides[0]))


def _margin(truth: Truth, expected: Array) -> Margin:
    times = truth.margin.deviations
    return truth.margin if times is None else own_margin(expected[ordinary(expected)], times)


def _first(scalars: Sequence[Scalar], count: int) -> Iterator[Scalar]:
    """Yield scalars with the first seeds of the obtained side alone."""
    for one in scalars:
        yield Scalar(one.name, one.expected, one.obtained[:count], one.margin)
