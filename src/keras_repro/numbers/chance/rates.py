"""Whether as many seeds lie apart on both sides."""

import math

from keras_repro.numbers.chance.within import ALPHA

MARGIN = 0.1  # by which two rates may differ and still be called alike


def p_of_rates(first: int, n: int, second: int, m: int) -> float:
    """Return the p-value of "the rates are the same": Fisher's exact test.

    ``first`` of ``n`` seeds, and ``second`` of ``m``, lie apart.
    """
    from scipy import stats  # noqa: PLC0415 - it takes its time

    found = stats.fisher_exact([[first, n - first], [second, m - second]])
    return float(found.pvalue)


def rates_apart(
    first: int, n: int, second: int, m: int, alpha: float = ALPHA
) -> tuple[float, float]:
    """Return the interval of the second rate minus the first; each end is passed in ``alpha``.

    Newcombe's method 10, of Wilson's intervals (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8
    <873::AID-SIM779>3.0.CO;2-I).
    """
    from scipy import stats  # noqa: PLC0415 - it takes its time

    p, q = first / n, second / m
    wilson = [
        stats.binomtest(k, of).proportion_ci(1 - 2 * alpha, method="wilson")
        for k, of in ((first, n), (second, m))
    ]
    low = math.hypot(q - wilson[1].low, wilson[0].high - p)
    high = math.hypot(wilson[1].high - q, p - wilson[0].low)
    return q - p - low, q - p + high
