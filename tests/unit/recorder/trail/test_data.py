"""What a call was given is told, and reaches it unchanged."""

import numpy as np
import pytest

from keras_repro.recorder.trail.data import Data
from keras_repro.recorder.trail.trail import Trail

X, Y = np.arange(6.0).reshape(3, 2), np.arange(3.0)


@pytest.fixture
def data():
    trail = Trail()
    return Data(trail, lambda: 5), trail.links


def places(links, *names):
    return [tuple(link.get(name) for name in names) for link in links]


def test_whole_arrays_by_place_and_by_name(data):
    told, links = data
    args, kwargs = told.given(1, "fit", (X,), {"y": Y, "sample_weight": Y, "epochs": 3})
    assert args[0] is X
    assert kwargs["y"] is Y
    assert kwargs["epochs"] == 3
    assert places(links, "call", "number", "argument") == [
        ("fit", 0, "x"),
        ("fit", 0, "y"),
        ("fit", 0, "sample_weight"),
    ]
    told.given(1, "fit", (X, Y), {})
    assert links[-1]["number"] == 1
    assert links[-1]["step"] == 5
    assert links[0]["value"] == links[3]["value"] != links[1]["value"]


def test_nested_inputs_each_have_their_place(data):
    told, links = data
    told.given(2, "fit", ([X, Y], {"b": Y, "a": X}), {"validation_data": (X, Y)})
    arguments = [argument for (argument,) in places(links, "argument")]
    assert arguments == ["x/0", "x/1", "y/a", "y/b", "validation_data/0", "validation_data/1"]
    told.given(1, "predict", ([[1, 2], [3, 4]],), {})
    told.finish()
    assert links[-1]["value"]["shape"] == [2, 2]


def test_calls_in_a_loop_are_told_together(data):
    told, links = data
    for number in range(12):
        told.given(1, "train_on_batch", (X + number, Y), {})
    told.finish()
    of_x = [link for link in links if link["argument"] == "x"]
    assert places(of_x, "number", "together") == [
        (0, None),
        (1, None),
        (2, None),
        (4, 2),
        (8, 4),
        (11, 3),
    ]


@pytest.mark.parametrize("changed", range(9))
def test_one_datum_of_any_call_changes_the_link_that_tells_of_it(changed):
    def told(change):
        trail = Trail()
        data = Data(trail, lambda: 0)
        for number in range(9):
            x = X.copy()
            x[0, 0] += change * (number == changed)
            data.given(1, "train_on_batch", (x,), {})
        data.finish()
        return trail.links

    differing = [a["number"] for a, b in zip(told(0), told(1), strict=True) if a != b]
    assert differing == [next(number for number in (0, 1, 2, 4, 8) if number >= changed)]


def test_a_generator_is_looked_at_while_it_is_drawn_from(data):
    told, links = data
    drawn = []

    def batches():
        for number in range(3):
            drawn.append(number)
            yield X + number, Y

    args, _ = told.given(1, "predict", (batches(),), {})
    assert not drawn
    first = next(args[0])
    assert drawn == [0]
    assert first[1] is Y
    list(args[0])
    told.done()
    found = places(links, "argument", "batch")
    assert found[:4] == [("x/0", 0), ("x/1", 0), ("x/0", 1), ("x/1", 1)]


@pytest.mark.parametrize("ahead", [3, 4, 9])
def test_what_a_fit_draws_ahead_is_not_told(ahead):
    steps = [0]
    trail = Trail()
    told = Data(trail, lambda: steps[0])
    args, _ = told.given(1, "fit", ((X + number for number in range(20)),), {})
    trail.add("cost", 1, model=1)
    for _ in range(ahead):
        next(args[0])
    steps[0] = 3
    told.done()
    assert places(trail.links, "kind", "batch") == [
        ("data", 0),
        ("data", 1),
        ("data", 2),
        ("cost", None),
    ]


class Sequence:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X + index, Y


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_datasets_by_index_are_told_in_order_whoever_asks(data, order):
    told, links = data
    dataset = Sequence()
    args, _ = told.given(1, "fit", (dataset,), {})
    assert args[0] is dataset
    for index in order:
        assert dataset[index][1] is Y
    told.done()
    assert places(links, "batch") == [(0,), (1,), (2,), (3,)]
    in_order = Trail()
    again = Data(in_order, lambda: 5)
    again.given(1, "fit", (dataset,), {})
    for index in range(4):
        assert dataset[index][1] is Y
    again.done()
    assert in_order.links == links


def test_what_can_only_be_seen_by_drawing_from_it_is_said_to_be_unseen(data):
    told, links = data
    iterator = iter([X, X])
    args, _ = told.given(1, "fit", (iterator,), {})
    assert args[0] is iterator
    assert links[0]["unseen"] == "drawn inside builtins.list_iterator"
    assert len(list(iterator)) == 2


def test_what_is_no_array_ends_nothing(data):
    told, links = data
    told.given(1, "train_on_batch", (object(), None), {"class_weight": {0: 1.0, 1: 2.0}})
    assert places(links, "argument", "unseen") == [
        ("x", "drawn inside builtins.object"),
        ("class_weight", None),
    ]
