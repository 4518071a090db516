"""The first batch is looked at, and not used up."""

import numpy as np
import pytest

from keras_repro.recorder.parity.first_batch import first_batch

X, Y = np.arange(100.0).reshape(50, 2), np.arange(50.0)


@pytest.mark.parametrize(
    ("method", "args", "kwargs", "size", "has_y"),
    [
        ("fit", (X, Y), {}, 32, True),
        ("fit", (X, Y, 7), {}, 7, True),
        ("fit", (X,), {"y": Y, "batch_size": 5}, 5, True),
        ("train_on_batch", (X, Y), {}, 50, True),
        ("predict", (X,), {}, 32, False),
        ("predict", (X, 9), {}, 9, False),
        ("evaluate", (), {"x": X, "y": Y}, 32, True),
    ],
)
def test_the_first_batch_of_arrays(method, args, kwargs, size, has_y):
    x, y, again, same = first_batch(method, args, kwargs)
    assert np.array_equal(x, X[:size])
    assert (y is not None) is has_y
    assert (again, same) == (args, kwargs)


def test_the_first_batch_of_a_generator_is_put_back():
    def batches():
        for number in range(3):
            yield X[:number], Y[:number]

    x, y, (again,), _ = first_batch("fit", (batches(),), {})
    assert (len(x), len(y)) == (0, 0)
    assert [len(part) for part, _ in again] == [0, 1, 2]


def test_what_cannot_be_looked_at():
    assert first_batch("fit", (object(),), {})[0] is None
