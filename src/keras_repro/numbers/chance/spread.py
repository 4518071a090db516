"""Whether two samples are spread alike, wherever their means are: Brown and Forsythe's test."""

import numpy as np

from keras_repro.numbers.chance.location import LEAST, smallest_p
from keras_repro.numbers.differences import Array


def p_of_spread(expected: Array, obtained: Array, least: float = LEAST) -> Array:
    """Return the p-value of "the spreads are the same": [...] of [..., n] and [..., m], float64.

    Levene's test about the median (Brown and Forsythe, 1974, doi:10.1080/01621459.1974.10482955):
    a t-test between the distances from each side's own median, which for two samples is the
    analysis of variance that ``scipy.stats.levene(center="median")`` makes, here of many at once.
    It is never below what a permutation of so many seeds could give; ``least`` is as p_of_location
    takes it.
    """
    from scipy import stats  # noqa: PLC0415 - it takes its time

    first, second = (np.abs(x - np.median(x, -1, keepdims=True)) for x in (expected, obtained))
    largest = np.maximum(first.max(-1), second.max(-1))[..., None]
    first, second = (x / np.where(largest > 0, largest, 1.0) for x in (first, second))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = stats.ttest_ind_from_stats(*_figures(first), *_figures(second))
    smallest = smallest_p(expected.shape[-1], obtained.shape[-1], least)
    return np.asarray(np.maximum(np.nan_to_num(found.pvalue, nan=1.0), smallest))


def _figures(values: Array) -> tuple[Array, Array, int]:
    """Return means, standard deviations and how many values there are."""
    return values.mean(-1), values.std(-1, ddof=1), values.shape[-1]
