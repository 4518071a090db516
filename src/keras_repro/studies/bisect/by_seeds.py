"""A search that compares distributions over many seeds."""

from dataclasses import replace

from keras_repro.studies.bisect.distribution import Distribution
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.bisect.searchable import Searchable, Unit

SEEDS = 30  # at most at a point, unless another number is asked for


def search_by_seeds(
    of: Searchable, most: int = SEEDS, jobs: int = 1, primary: tuple[str, ...] = ()
) -> Search:
    """Return a search that is judged by at most so many seeds at each point.

    The first point is good as it is: a baseline has the numbers of one seed. Points are tried one
    after another, which takes the fewest, and ``jobs`` seeds at the same time.
    """
    first = of.range.points[0].label
    name = f"{of.range.name} " if of.range.unit is Unit.RELEASE else ""
    of.range = replace(of.range, expected=None, good=f"{name}{first}")
    return Search(of, Distribution(len(of.range.points), most, jobs, primary))
