"""Keep the seeds of one numeric class: what machines round otherwise is in no spread then."""

from collections import Counter
from collections.abc import Iterable

from keras_repro.studies.ensemble.seed import Seed


def classes(seeds: Iterable[Seed]) -> dict[str, int]:
    """Return of how many seeds which numeric class made the runs: {digest: count}, where known."""
    return Counter(one.numeric_class for one in seeds if one.good and one.numeric_class)


def of_one_class(seeds: list[Seed]) -> tuple[list[Seed], list[Seed]]:
    """Return the seeds of the numeric class that made most runs, and those of others.

    Of several that made as many, the first. A seed of which the class is not known stays.
    """
    found = classes(seeds)
    kept = {"", max(found, key=lambda digest: found[digest], default="")}
    return (
        [one for one in seeds if one.numeric_class in kept],
        [one for one in seeds if one.numeric_class not in kept],
    )
