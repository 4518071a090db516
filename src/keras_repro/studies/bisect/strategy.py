"""Which point to try next, and what is known by then. Pure: runs nothing, prints nothing.

Points lie in order, 0 to ``count - 1``; point 0 is the good one. A point that was tried either
tells, for each kind of array, whether its numbers differ from the good ones, or tells nothing and
is skipped, as in git-bisect(1).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

Outcome = Mapping[str, bool] | None
"""{kind: whether it differs from the good point's}; None for a point that is skipped."""


@dataclass(frozen=True)
class Bracket:
    """The narrowest range known to hold a change: the last good point and the first bad one.

    ``skipped`` are the points between that were tried and told nothing, ``untried`` those that
    were not tried.
    """

    good: int
    bad: int
    skipped: tuple[int, ...] = ()
    untried: tuple[int, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be learnt."""
        return not self.untried


def kinds_of(outcomes: Mapping[int, Outcome]) -> list[str]:
    """Return the kinds that any point tells of, sorted."""
    return sorted({kind for outcome in outcomes.values() if outcome for kind in outcome})


def bracket(outcomes: Mapping[int, Outcome], kind: str) -> Bracket | None:
    """Return the range that holds the first change known of a kind; None where none is known.

    The first of the points tried that differs, and the last before it that does not: however the
    numbers go on after it, that range holds a change.
    """
    told = {at: outcome.get(kind, False) for at, outcome in outcomes.items() if outcome is not None}
    bad = min((at for at, differs in told.items() if differs), default=None)
    if bad is None:
        return None
    good = max((at for at in told if at < bad), default=None)
    if good is None:  # the good point differs itself, or is still under way
        return None
    between = range(good + 1, bad)
    return Bracket(
        good,
        bad,
        tuple(at for at in between if at in outcomes),
        tuple(at for at in between if at not in outcomes),
    )


def next_points(count: int, outcomes: Mapping[int, Outcome], jobs: int = 1) -> list[int]:
    """Return the points to try next, at most ``jobs``; none where all that can be is known.

    The ends come first; then the widest open range is cut into ``jobs + 1`` parts. One job asks
    for at most ceil(log2(count - 1)) points between the ends, where none is skipped and all kinds
    change at the same point.
    """
    ends = [at for at in dict.fromkeys((0, count - 1)) if at not in outcomes]
    if ends:
        return ends[:jobs]
    if outcomes[0] is None or any(outcomes[0].values()) or outcomes[count - 1] is None:
        return []  # without both ends there is nothing to search between
    brackets = [bracket(outcomes, kind) for kind in kinds_of(outcomes)]
    ranges = {(b.good, b.bad) for b in brackets if b is not None and not b.closed}
    return _cuts(sorted(ranges, key=lambda ends: ends[0] - ends[1]), outcomes, jobs)


def next_refinements(
    count: int,
    outcomes: Mapping[int, Outcome],
    differ: Callable[[int, int], bool],
    jobs: int = 1,
) -> list[int]:
    """Return the points to try next, where every change is wanted: between neighbours that differ.

    ``differ`` tells whether two points that were tried differ in any kind.
    """
    ends = [at for at in dict.fromkeys((0, count - 1)) if at not in outcomes]
    if ends:
        return ends[:jobs]
    told = sorted(at for at, outcome in outcomes.items() if outcome is not None)
    ranges = [
        (left, right)
        for left, right in pairwise(told)
        if any(at not in outcomes for at in range(left + 1, right)) and differ(left, right)
    ]
    # What lies beyond the last point that tells anything has no neighbour to differ from.
    if not told or told[-1] != count - 1:
        ranges.append((told[-1] if told else -1, count))
    if told and told[0] != 0:
        ranges.append((-1, told[0]))
    return _cuts(sorted(ranges, key=lambda ends: ends[0] - ends[1]), outcomes, jobs)


def _cuts(
    ranges: Iterable[tuple[int, int]], outcomes: Mapping[int, Outcome], jobs: int
) -> list[int]:
    """Return up to ``jobs`` points that cut these ranges, the first range first."""
    found: list[int] = []
    for good, bad in ranges:
        left = jobs - len(found)
        if left <= 0:
            break
        stretch = _longest_untried(good, bad, outcomes)
        size = len(stretch)
        if size <= left:
            found += stretch
        else:
            # Cut into left + 1 parts; rounding down keeps one job at the middle.
            found += [stretch[(size + 1) * part // (left + 1) - 1] for part in range(1, left + 1)]
    return sorted(set(found))


def _longest_untried(good: int, bad: int, outcomes: Mapping[int, Outcome]) -> list[int]:
    """Return the longest stretch of points between two that nobody tried.

    Points that are skipped often lie side by side; looking away from them, as git-bisect(1) does,
    spends no trial on each.
    """
    longest: list[int] = []
    stretch: list[int] = []
    for at in range(good + 1, bad):
        if at in outcomes:
            stretch = []
            continue
        stretch.append(at)
        if len(stretch) > len(longest):
            longest = list(stretch)
    return longest
