"""In how many cases each point of a search may be wrongly found to differ: 5 % in all.

What is said of the whole search needs no more than this. Where nothing differs, the last point is
tried, found to be the same, and the search is over: it alone may go wrong, and has the whole 5 %.
Where the numbers change at some point, the search goes wrong by a point before it that is found to
differ; until then it goes where it must, so that those points are always the same ones, and share
another 5 % among them (Bonferroni's inequality). Only one of the two happens in any search.
"""

from keras_repro.numbers.chance.within import ALPHA


def most_between(count: int) -> int:
    """Return how many points between the ends a search of ``count`` tries, where none is skipped.

    Each cuts the range in two: strategy.next_points with one job.
    """
    return max(count - 2, 0).bit_length()


def level_between(number: int, count: int) -> float:
    """Return the level of the point that is tried as the ``number``-th between the ends, from 0.

    Points that are skipped may make more of them necessary than are thought of. One share more is
    kept for these, and each has half of what the one before it left.
    """
    shares = most_between(count) + 1
    beyond = number - most_between(count) + 1
    return ALPHA / shares / (2.0**beyond if beyond > 0 else 1.0)


def level_of_part(trials: int) -> float:
    """Return the level of one of so many trials that tell a package from what moved with it."""
    return ALPHA / max(trials, 1)
