"""Training data are moved as weights are; what was never rounded stays."""

import numpy as np
import pytest

from keras_repro.recorder.watch import ulps
from keras_repro.recorder.watch.ulps import moved_data

DATA = np.array([[0.1, -0.2, 0.0], [3.0, 1e-3, np.inf]], np.float32)
ROUNDED = [[1, 1, 0], [0, 1, 0]]  # no zero, no whole number, nothing that is not finite


def apart(found, given):
    with np.errstate(invalid="ignore"):
        return (found.view(np.int32) - given.view(np.int32)).astype(int)


def test_what_is_rounded_is_moved_by_an_ulp_each_time_alike():
    before = DATA.copy()
    ((found, labels), kept) = moved_data((DATA, "labels"), {"epochs": 2}, 3, "float32")
    assert np.abs(apart(found, DATA)).tolist() == ROUNDED
    assert (labels, kept) == ("labels", {"epochs": 2})
    assert np.array_equal(DATA, before)  # the script's own stays as it is
    again = moved_data((), {"x": DATA}, 3, "float32")[1]["x"]
    assert np.array_equal(again, found)
    others = [moved_data((DATA,), {}, number, "float32")[0][0].tolist() for number in range(1, 40)]
    assert len({str(other) for other in others}) == 8  # each way that three numbers have


@pytest.mark.parametrize("kind", [list, tuple])
def test_each_of_several_inputs_has_its_own_way(kind):
    wide = np.full(64, 0.1, np.float32)
    [found] = moved_data((kind([wide, wide, np.arange(3)]),), {}, 1, "float32")[0]
    assert type(found) is kind
    assert not np.array_equal(found[0], found[1])
    assert found[2].tolist() == [0, 1, 2]
    named = moved_data((), {"x": {"b": wide, "a": wide}}, 1, "float32")[1]["x"]
    assert list(named) == ["b", "a"] or sorted(named) == ["a", "b"]
    assert np.array_equal(named["a"], found[0])
    assert np.array_equal(named["b"], found[1])


def test_what_is_no_array_in_memory_stays_what_it_is(monkeypatch):
    for given in (iter([]), [[0.5], [0.25]], None, "x"):
        ((found,), _) = moved_data((given,), {}, 1, "float32")
        assert found is given or found == given
    monkeypatch.setattr(ulps, "MOST_BYTES", DATA.nbytes - 1)
    assert moved_data((DATA,), {}, 1, "float32")[0][0] is DATA
    assert moved_data((), {"epochs": 1}, 1, "float32") == ((), {"epochs": 1})


def test_what_is_finer_than_keras_computes_is_moved_by_what_keras_sees():
    fine = np.array([0.1, 2.0, -0.3])
    found = moved_data((fine,), {}, 1, "float32")[0][0]
    assert found.dtype == np.float64
    assert np.abs(apart(np.float32(found), np.float32(fine))).tolist() == [1, 0, 1]
    assert found[1] == 2.0
    found = moved_data((fine,), {}, 1, "float64")[0][0]
    assert (np.abs(found - fine) <= np.spacing(np.abs(fine))).all()
    half = np.float16([0.1])
    assert moved_data((half,), {}, 1, "float32")[0][0] - half in np.float16([1, -1]) * np.spacing(
        half
    )
