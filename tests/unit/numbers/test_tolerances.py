"""Tolerances by the patterns of array names, and the default for what no pattern is for."""

from keras_repro.numbers.comparison import EXACT
from keras_repro.numbers.tolerances import (
    DEFAULT,
    Tolerances,
    matching_tolerance,
    tolerance_of,
    with_default,
)

COSTS = Tolerances(rtol=1e-3)


def test_the_default_is_for_what_no_pattern_is_for():
    found = with_default({"costs/*": COSTS})
    assert list(found) == ["costs/*", "*"]  # the first match wins
    assert tolerance_of("costs/train", found) == COSTS.as_tolerance()
    assert tolerance_of("weights/0", found) == DEFAULT


def test_a_pattern_for_all_replaces_the_default():
    assert with_default({"*": COSTS}) == {"*": COSTS}


def test_what_no_pattern_matches_is_exact_or_nobody_s():
    assert tolerance_of("weights/0", {"costs/*": COSTS}) is EXACT
    assert matching_tolerance("weights/0", {"costs/*": COSTS}) is None
