"""In how many cases each point may go wrong: in 5 % in all, of those that any search tries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_repro.studies.bisect.levels import level_between, level_of_part, most_between
from keras_repro.studies.bisect.strategy import next_points


def tried_between(count, change, skipped=frozenset()):
    """Return the points between the ends that a search tries and that tell something, in order."""
    outcomes, order = {}, []
    while points := next_points(count, outcomes):
        [at] = points
        outcomes[at] = None if at in skipped else {"distribution": at >= change}
        if 0 < at < count - 1 and outcomes[at] is not None:
            order.append(at)
    return order


@settings(deadline=None)
@given(st.data(), st.integers(2, 400))
def test_no_search_tries_more_than_are_thought_of(data, count):
    change = data.draw(st.integers(1, count - 1))
    tried = tried_between(count, change)
    assert len(tried) <= most_between(count)
    assert sum(level_between(number, count) for number in range(len(tried))) < 0.05


@pytest.mark.parametrize("count", [3, 4, 5, 9, 17, 18, 30])
def test_and_some_search_tries_as_many(count):
    lengths = [len(tried_between(count, change)) for change in range(1, count)]
    assert max(lengths) == most_between(count)


@settings(deadline=None)
@given(st.data(), st.integers(3, 200))
def test_what_is_skipped_takes_no_more_than_all(data, count):
    change = data.draw(st.integers(1, count - 1))
    skipped = data.draw(st.frozensets(st.integers(1, count - 2)))
    tried = tried_between(count, change, skipped)
    assert sum(level_between(number, count) for number in range(len(tried))) <= 0.05 + 1e-12


def test_however_many_there_are_they_share_it():
    levels = [level_between(number, 30) for number in range(200)]
    assert levels[:5] == pytest.approx([0.05 / 6] * 5)
    assert levels[5:7] == pytest.approx([0.05 / 12, 0.05 / 24])
    assert sum(levels) == pytest.approx(0.05)
    assert level_of_part(4) == 0.0125
    assert most_between(2) == 0
