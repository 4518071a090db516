"""The costs of a loop of the script's own, among those of Keras' methods."""

import random

import pytest

from keras_repro.recorder.contract import TRAIN, Kind
from keras_repro.recorder.watch.numbers import Numbers


def joined(keras, seen):
    numbers = Numbers(1)
    for cost in keras:
        numbers.add(Kind.COST, TRAIN, cost)
    numbers.seen_costs = seen
    numbers.join_seen_costs()
    return numbers.costs()


@pytest.mark.parametrize(
    ("keras", "seen", "expected"),
    [
        ([], [(0, "a"), (0, "b")], ["a", "b"]),
        ([1, 2, 3], [(0, "a"), (2, "b"), (2, "c"), (3, "d")], ["a", 1, 2, "b", "c", 3, "d"]),
        ([1, 2], [(1, None), (1, "a")], [1, "a", 2]),
        ([1, 2], [], [1, 2]),
        ([1, 2], [(5, "a"), (1, "b")], [1, "a", "b", 2]),  # of Keras' costs, some went since
    ],
)
def test_they_come_in_the_order_of_time(keras, seen, expected):
    assert joined(keras, seen) == expected


def test_they_come_as_one_by_one():
    draw = random.Random(0)
    for _ in range(50):
        keras = list(range(draw.randrange(20)))
        places = sorted(draw.randrange(len(keras) + 1) for _ in range(draw.randrange(20)))
        seen = [(place, f"loop {number}") for number, place in enumerate(places)]
        expected = list(keras)
        for place, cost in reversed(seen):
            expected.insert(place, cost)
        assert joined(keras, seen) == expected


def test_none_is_moved_for_another():
    """Of 200,000 steps, inserting each in front of the others takes minutes."""

    class Moved(list):
        def insert(self, *_):
            raise AssertionError("the others move")

    numbers = Numbers(1)
    numbers.series[numbers.name(Kind.COST, TRAIN)] = Moved(range(100))
    numbers.seen_costs = [(50, "a")] * 100
    numbers.join_seen_costs()
    assert len(numbers.costs()) == 200
