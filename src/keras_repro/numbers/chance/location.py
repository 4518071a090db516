"""Whether two samples have the same mean: Welch's t, judged by permutations of the seeds."""

import math
from functools import lru_cache

import numpy as np

from keras_repro.numbers.differences import Array

MOST = 9_999  # permutations; where there are no more, each is taken once
MOST_NUMBERS, FEWEST = 20_000_000, 999  # of all of them together, and permutations all the same
LEAST = 1e-3  # p-value that so many tell from one that is a tenth larger
BLOCK = 1 << 22  # products that are made at a time
SAME = 1e-12  # of a sample's squares: what is less is rounding, and no variance


def welch_t(expected: Array, obtained: Array) -> Array:
    """Return Welch's t of obtained - expected, [...] of [..., n] and [..., m], float64, finite.

    Where neither sample varies it is infinite, or zero where the two are equal.
    """
    pooled, scale = _scaled(expected, obtained)
    first = pooled[..., : expected.shape[-1]]
    sums, squares = first.sum(-1), (first**2).sum(-1)
    return _t(sums, squares, pooled, expected.shape[-1], scale)


def p_of_location(expected: Array, obtained: Array, least: float = LEAST) -> Array:
    """Return the two-sided p-value of "the means are the same": [...] of [..., n] and [..., m].

    The statistic is Welch's t. What it is by chance comes from dealing the seeds out to the two
    sides anew: all ways where there are no more than 9,999, else as many at random, always the
    same ones (Janssen, 1997, doi:10.1016/S0167-7152(97)00043-6; Chung and Romano, 2013,
    doi:10.1214/13-AOS1090). Where the two sides are alike, the error is the stated one, however
    few the seeds and whatever their distribution; for normal values it is Welch's test itself.
    docs/chance.md has the figures that speak for it. With ties the p-value is larger, never less.
    ``least`` is the smallest p-value that matters: the smaller, the more ways are dealt.
    """
    n, m = expected.shape[-1], obtained.shape[-1]
    pooled, scale = _scaled(expected, obtained)
    splits = dealt(n, m, least)
    found = np.abs(welch_t(expected, obtained)) * (1 - 1e-9)
    rows = pooled.reshape(-1, n + m)
    reached, count = found.reshape(-1, 1), np.zeros(len(rows))
    size = max(1, BLOCK // len(splits))
    for start in range(0, len(rows), size):
        part, whole = rows[start : start + size], scale.reshape(-1, 1)[start : start + size]
        t = _t(part @ splits.T, part**2 @ splits.T, part[:, None, :], n, whole)
        count[start : start + size] = (np.abs(t) >= reached[start : start + size]).sum(-1)
    return np.asarray((count / len(splits)).reshape(found.shape))


def smallest_p(n: int, m: int, least: float = LEAST) -> float:
    """Return the smallest p-value that so many seeds can give; no test of theirs goes below."""
    return 1 / min(math.comb(n + m, n), _most(n + m, least) + 1)


def _most(seeds: int, least: float) -> int:
    """Return how many ways are dealt: fewer of thousands of seeds, which fill memory."""
    wanted = max(MOST, math.ceil(10 / least) - 1)
    return min(wanted, max(FEWEST, MOST_NUMBERS // seeds))


@lru_cache(maxsize=2)  # each has 160 MB at most
def dealt(n: int, m: int, least: float = LEAST) -> Array:
    """Return which of ``n + m`` seeds are dealt to the first side, [ways, n + m]: 1.0, else 0.0.

    The first way is the one that was obtained.
    """
    ways = math.comb(n + m, n)
    most = _most(n + m, least)
    if ways > most + 1:
        found = np.zeros((most + 1, n + m))
        found[:, :n] = 1.0
        generator = np.random.Generator(np.random.PCG64(ways % (1 << 63)))
        found[1:] = generator.permuted(found[1:], axis=1)
        return found
    from itertools import combinations  # noqa: PLC0415 - few seeds alone need it

    chosen = np.array(list(combinations(range(n + m), n)))
    found = np.zeros((ways, n + m))
    np.put_along_axis(found, chosen, 1.0, axis=1)
    return found


def _scaled(expected: Array, obtained: Array) -> tuple[Array, Array]:
    """Return both samples in one, about its mean and at most 1, and the sum of its squares."""
    pooled = np.concatenate([expected, obtained], axis=-1)
    largest = np.abs(pooled).max(-1, keepdims=True)
    pooled = pooled / np.where(largest > 0, largest, 1.0)
    pooled = pooled - pooled.mean(-1, keepdims=True)
    return pooled, (pooled**2).sum(-1)


def _t(sums: Array, squares: Array, pooled: Array, n: int, scale: Array) -> Array:
    """Return Welch's t from the sums and the squares of the first side, of ``n`` seeds."""
    m = pooled.shape[-1] - n
    of_rest, squares_of_rest = pooled.sum(-1) - sums, (pooled**2).sum(-1) - squares
    difference = of_rest / m - sums / n
    error = _error(sums, squares, n, scale) + _error(of_rest, squares_of_rest, m, scale)
    none = np.abs(difference) <= math.sqrt(SAME) * np.sqrt(scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(none, 0.0, difference / np.sqrt(error)))


def _error(sums: Array, squares: Array, count: int, scale: Array) -> Array:
    """Return the square of the standard error of a mean; zero of values that are all the same."""
    around = squares - sums**2 / count
    return np.where(around <= SAME * scale, 0.0, around) / (count * max(count - 1, 1))
