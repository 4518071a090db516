"""How many seeds would decide what so many do not."""

import math

from keras_repro.numbers.chance.decide import Decision, Found
from keras_repro.numbers.chance.power import seeds_for_rates, seeds_that_decide


def seeds_needed(found: list[Found]) -> int | None:
    """Return how many seeds on each side would decide in 80 %; of what is undecided and primary.

    If the true means and rates are what they were found to be. None where no number of them does,
    a mean that lies just at the margin say; 0 where nothing is undecided.
    """
    tests = sum(len(one.p) for one in found)
    each = [
        _of_one(one, tests)
        for one in found
        if one.scalar.primary and one.decision is Decision.INCONCLUSIVE
    ]
    known = [count for count in each if count is not None]
    return max(known, default=0) if len(known) == len(each) else None


def _of_one(found: Found, tests: int) -> int | None:
    counts: list[int | None] = []
    if not found.rate_within:
        sizes = [len(found.scalar.expected), len(found.scalar.obtained)]
        shares = [lying / size for lying, size in zip(found.apart, sizes, strict=True)]
        counts.append(seeds_for_rates(*shares))
    if not found.mean_within:
        counts.append(_for_the_mean(found, tests))
    known = [count for count in counts if count is not None]
    # So many seeds did not decide, whatever they do in four of five cases.
    more = 1 + min(len(found.scalar.expected), len(found.scalar.obtained))
    return max(*known, more) if len(known) == len(counts) and known else None


def _for_the_mean(found: Found, tests: int) -> int | None:
    first, second = found.deviations
    margin = found.scalar.margin
    # What never varied on the expected side is measured by the other one's deviation.
    unit = first or second
    if not math.isfinite(unit) or unit == 0 or not math.isfinite(found.difference):
        return None
    ratio = second / unit
    deviations = (margin.deviations or 0.0) if first else 0.0
    shift = abs(found.difference) / unit
    return seeds_that_decide(shift, ratio, margin.value / unit, deviations, tests)
