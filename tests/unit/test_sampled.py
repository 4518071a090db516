"""A sample of the tests: over commits all are made, and none of the quick ones is ever left out."""

import pytest

from tests.sampled import ALWAYS, asked

NAMES = [f"recorder/test_{a}.py::test_{b}" for a in range(20) for b in range(30)]


def sample(of, seed, **more):
    return asked({"KERAS_REPRO_TEST_SAMPLE": of, "KERAS_REPRO_TEST_COMMIT": seed, **more})


def chosen(seed, of="6"):
    known = sample(of, seed)
    return {name for name in NAMES if known.has("recorder/test_x.py", name)}


def test_without_one_every_test_is_made():
    assert asked({}) is None
    assert sample("", "a commit") is None
    assert chosen("a commit", of="1") == set(NAMES)


def test_each_commit_has_about_as_many_and_others():
    first, second = chosen("a commit"), chosen("another")
    assert 60 < len(first) < 140
    assert first == chosen("a commit")
    assert first != second


def test_over_commits_all_are_made():
    assert set().union(*(chosen(f"commit {number}") for number in range(60))) == set(NAMES)


def test_those_of_a_group_go_together():
    known = sample("6", "a commit")
    assert len({known.has("recorder/test_parity_plants.py", "a group") for _ in range(9)}) == 1


@pytest.mark.parametrize("place", [*(name.rstrip("/") + "/test_x.py" for name in ALWAYS[:4])])
def test_what_needs_no_training_is_never_left_out(place):
    for number in range(40):
        assert sample("6", f"commit {number}").has(place, place)
    darwin = [
        sample("6", f"commit {number}", KERAS_REPRO_TEST_AS="darwin").has(place, place)
        for number in range(40)
    ]
    assert set(darwin) == {True, False}
