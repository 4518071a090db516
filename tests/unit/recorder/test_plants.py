"""What may be planted, and what is said of what means nothing."""

import numpy as np
import pytest

from keras_repro.recorder.plants import plant
from keras_repro.recorder.watch.planted import Planted


@pytest.mark.parametrize("text", ["learning-rate=1e-4", "datum=0.5", "epsilon=1"])
def test_it_is_read_as_it_is(text):
    assert "=".join(plant(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("datum", "'datum' is not NAME=X"),
        ("momentum=1e-4", "there is no 'momentum' to plant; there are learning-rate, datum"),
        ("datum=0", "write a number up to 1"),
        ("datum=-0.1", "write a number up to 1"),
        ("datum=nan", "write a number up to 1"),
        ("datum=2", "write a number up to 1"),
        ("datum=1e-400", "write a number up to 1"),
    ],
)
def test_what_means_nothing_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        plant(text)


def test_the_element_is_the_first_from_the_middle_on_that_is_not_zero():
    data = np.array([[1.0, 2.0], [0.0, 4.0]])
    planted = Planted({"datum": "0.5"})
    (changed, y), _ = planted.before_training(None, None, (data, "y"), {})
    assert changed.tolist() == [[1.0, 2.0], [0.0, 6.0]]
    assert data[1, 1] == 4.0  # the script's own stays
    assert y == "y"
    assert planted.where == {"datum": "element 3 of the training data: 4.0 -> 6.0"}
    again, _ = planted.before_training(None, None, (data, "y"), {})
    assert again[0] is data


def test_the_first_of_several_inputs_by_name():
    first, second = np.ones(3), np.ones(2)
    planted = Planted({"datum": "0.5"})
    _, given = planted.before_training(None, None, (), {"x": [first, second], "epochs": 3})
    assert given["x"][0].tolist() == [1.0, 1.5, 1.0]
    assert given["x"][1] is second
    assert given["epochs"] == 3


@pytest.mark.parametrize("x", ["a generator", np.arange(3), np.zeros(3), None, []])
def test_what_has_no_place_is_handed_on(x):
    planted = Planted({"datum": "0.5"})
    args, _ = planted.before_training(None, None, (x,), {})
    assert args[0] is x
    assert not planted.where


def test_what_is_too_small_to_be_another_number_is_planted_nowhere():
    planted = Planted({"initial-weight": "1e-9"})
    planted.weight(np.ones((2, 2), np.float32))
    assert not planted.where


def test_a_weight_is_handed_on_itself_where_nothing_is_planted():
    value = np.ones((2, 2), np.float32)
    assert Planted({}).weight(value) is value
    assert Planted({"initial-weight": "0.5"}).weight(np.ones(2)).tolist() == [1, 1]
    planted = Planted({"initial-weight": "0.5"})
    assert planted.weight(value).tolist() == [[1, 1], [1.5, 1]]
    assert planted.weight(value) is value
