"""What the decision does on a user's own seeds: the expected ones, drawn against themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Scalar
from keras_repro.numbers.chance.location import welch_t
from keras_repro.numbers.chance.spread import p_of_spread
from keras_repro.numbers.chance.within import ALPHA, apart, welch
from keras_repro.numbers.differences import Array

DRAWS = 1_000
FEWEST = 8  # seeds that are worth drawing from


@dataclass(frozen=True)
class Rates:
    """How often what is said of seeds that are drawn from the expected ones, as shares of 1.

    ``size`` is "different" where nothing differs. ``power`` is "equivalent" there, of all primary
    scalars at once, ``power_of`` of each. ``mistaken`` is "within the margin" of a primary scalar
    whose mean is off by just the margin, and ``seen`` how often such a mean is found to be off;
    both are means over the primary scalars.
    """

    size: float
    power: float
    power_of: dict[str, float]
    mistaken: float
    seen: float


def resampled(scalars: Sequence[Scalar], draws: int = DRAWS) -> Rates | None:
    """Draw both sides from the expected seeds, again and again; return what comes of it.

    A seed is drawn with all its scalars, which keeps what they have to do with each other, and
    shapes are those of the user. Seeds that lie apart are left out. The p-values of means are those
    of Welch's t distribution, as permutations of each draw would take minutes. None where fewer
    than eight seeds, or no primary scalar that varies, are there to draw from.
    """
    kept = np.logical_and.reduce([ordinary(one.expected) for one in scalars])
    varying = [one for one in scalars if kept.any() and np.ptp(one.expected[kept]) > 0]
    primary = np.array([one.primary for one in varying], bool)
    if kept.sum() < FEWEST or not primary.any():
        return None
    data = np.stack([one.expected[kept] for one in varying])
    n, m = (len(side) for side in (scalars[0].expected, scalars[0].obtained))
    generator = np.random.Generator(np.random.PCG64(1))
    expected, obtained = (
        data[:, generator.integers(data.shape[1], size=(draws, count))].transpose(1, 0, 2)
        for count in (n, m)
    )  # [draws, scalars, seeds]
    times = np.array([one.margin.deviations or 0.0 for one in varying])
    given = np.array([one.margin.value for one in varying])
    margins = np.where(times > 0, times * expected.std(-1, ddof=1), given)
    truth = np.where(times > 0, times * data.std(-1), given)

    def is_within(shift: Array) -> Array:
        found = [
            apart(expected[:, at], obtained[:, at] + shift[at], margins[:, at], times[at])
            for at in range(len(varying))
        ]
        return np.stack([one.within(margins[:, at]) for at, one in enumerate(found)], axis=1)

    nothing = np.zeros(len(varying))
    within, at_margin = is_within(nothing), is_within(truth)
    p = np.concatenate([_p(expected, obtained), p_of_spread(expected, obtained)], axis=1)
    mean, spread = np.split(_discovered(p), 2, axis=1)
    moved = _p(expected, obtained + truth[:, None])
    beyond = [_found_among(p, moved, int(at)) for at in np.flatnonzero(primary)]
    return Rates(
        float(((mean & ~within) | spread).any(1).mean()),
        float(within[:, primary].all(1).mean()),
        {one.name: float(part) for one, part in zip(varying, within.mean(0), strict=True)},
        float(at_margin[:, primary].mean()),
        float(np.mean(beyond)),
    )


def _p(expected: Array, obtained: Array) -> Array:
    """Return the p-values of Welch's t-test, [draws, scalars]."""
    from scipy import special  # noqa: PLC0415 - it takes its time

    n, m = expected.shape[-1], obtained.shape[-1]
    _, freedom = welch(expected.var(-1, ddof=1) / n, n, obtained.var(-1, ddof=1) / m, m)
    found = 2 * special.stdtr(freedom, -np.abs(welch_t(expected, obtained)))
    return np.asarray(np.nan_to_num(found, nan=1.0))


def _found_among(p: Array, moved: Array, at: int) -> float:
    """Return how often the mean of one scalar is found to be off where it alone is."""
    one = p.copy()
    one[:, at] = moved[:, at]
    return float(_discovered(one)[:, at].mean())


def _discovered(p: Array) -> Array:
    """Return what Benjamini and Hochberg's procedure takes for real in each draw."""
    from scipy import stats  # noqa: PLC0415 - it takes its time

    return np.asarray(stats.false_discovery_control(p, axis=1) <= ALPHA)
