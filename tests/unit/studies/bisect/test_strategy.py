"""The search itself, against every kind of range there can be."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from keras_repro.studies.bisect.strategy import (
    Bracket,
    bracket,
    kinds_of,
    next_points,
    next_refinements,
)


def search(count, changes, skipped=frozenset(), jobs=1):
    """Search a range; ``changes`` is {kind: the point from which on it differs}."""
    outcomes, rounds = {}, 0
    while points := next_points(count, outcomes, jobs):
        assert len(points) == len(set(points)) <= jobs
        assert not set(points) & set(outcomes)
        rounds += 1
        for at in points:
            outcomes[at] = (
                None if at in skipped else {kind: at >= change for kind, change in changes.items()}
            )
    return outcomes, rounds


@given(st.data(), st.integers(2, 300))
def test_it_finds_the_change_with_few_probes(data, count):
    change = data.draw(st.integers(1, count - 1))
    outcomes, _ = search(count, {"costs": change})
    assert bracket(outcomes, "costs") == Bracket(change - 1, change)
    assert len(outcomes) <= math.ceil(math.log2(count)) + 2


@given(st.data(), st.integers(2, 200), st.integers(1, 6))
def test_more_jobs_need_fewer_rounds(data, count, jobs):
    change = data.draw(st.integers(1, count - 1))
    outcomes, rounds = search(count, {"costs": change}, jobs=jobs)
    assert bracket(outcomes, "costs") == Bracket(change - 1, change)
    # Each round leaves a part in (jobs + 1) of the range, the ends take two rounds at most.
    assert rounds <= 2 + math.ceil(math.log(count, jobs + 1)) + 1


@given(st.data(), st.integers(3, 60), st.integers(1, 4))
def test_what_is_skipped_widens_the_answer_honestly(data, count, jobs):
    change = data.draw(st.integers(1, count - 1))
    skipped = data.draw(st.sets(st.integers(1, count - 2), max_size=count - 2))
    outcomes, _ = search(count, {"costs": change}, skipped, jobs)
    found = bracket(outcomes, "costs")
    told = [at for at in range(count) if at not in skipped]
    assert found.good == max(at for at in told if at < change)
    assert found.bad == min(at for at in told if at >= change)
    assert set(found.skipped) == set(range(found.good + 1, found.bad))
    assert found.closed


@given(st.data(), st.integers(2, 60), st.integers(1, 4))
def test_each_kind_has_its_own_answer(data, count, jobs):
    changes = {
        kind: data.draw(st.integers(1, count))  # count: it never changes
        for kind in ("costs", "weights", "predictions")
    }
    outcomes, _ = search(count, changes, jobs=jobs)
    assert kinds_of(outcomes) == sorted(changes)
    for kind, change in changes.items():
        found = bracket(outcomes, kind)
        assert found == (None if change == count else Bracket(change - 1, change))


@given(st.lists(st.booleans(), min_size=2, max_size=40))
def test_numbers_that_come_and_go_still_give_a_true_boundary(differs):
    differs[0] = False
    outcomes = {}
    while points := next_points(len(differs), outcomes):
        outcomes.update({at: {"costs": differs[at]} for at in points})
    found = bracket(outcomes, "costs")
    if differs[-1]:
        assert found.closed
        assert found.bad == found.good + 1
        assert differs[found.bad]
        assert not differs[found.good]
    else:
        assert len(outcomes) == 2
        assert found is None


def test_a_good_end_that_differs_itself_is_no_good_end():
    outcomes = {0: {"costs": True}, 4: {"costs": True}}
    assert bracket(outcomes, "costs") is None
    assert next_points(5, outcomes) == []
    assert bracket({4: {"costs": True}}, "costs") is None  # the good end is still under way


def test_without_both_ends_there_is_nothing_to_search():
    assert next_points(5, {0: None, 4: {"costs": True}}) == []
    assert next_points(5, {0: {"costs": False}, 4: None}) == []


@given(st.data(), st.integers(2, 60), st.integers(1, 4))
def test_every_change_is_found_where_neighbours_differ(data, count, jobs):
    # Numbers that only ever move on: two equal points have equal points between them.
    changes = data.draw(st.sets(st.integers(1, count - 1)))
    skipped = data.draw(st.sets(st.integers(0, count - 1)))
    number = [sum(change <= at for change in changes) for at in range(count)]
    outcomes = {}

    def differ(one, other):
        return number[one] != number[other]

    while points := next_refinements(count, outcomes, differ, jobs):
        assert len(points) <= jobs
        assert not set(points) & set(outcomes)
        for at in points:
            outcomes[at] = None if at in skipped else {"costs": differ(0, at)}
    told = [at for at in range(count) if at not in skipped]
    for left, right in pairwise(told):
        tried = {at for at in outcomes if left <= at <= right}
        if differ(left, right):  # the change lies just there: both were tried, and all between
            assert tried == set(range(left, right + 1))


def test_it_does_not_look_between_equals():
    outcomes = {}
    while points := next_refinements(100, outcomes, lambda one, other: False):
        outcomes.update({at: {"costs": False} for at in points})
    assert sorted(outcomes) == [0, 99]
