"""Arrays judged by what was measured, row by row; what rounding moves as far is not."""

import math

import numpy as np
import pytest

from keras_repro.numbers.comparison import Verdict, compare_array
from keras_repro.numbers.envelopes import Envelope
from keras_repro.numbers.summaries import Picked, summarized

COSTS = "costs/train"
GROWING = Envelope.of((0, 2, 4), (1e-6, 1e-3, math.inf), 0.0)


class Kept(Picked):
    """An array of any shape, in memory."""

    def __init__(self, array):
        super().__init__(array, "float64")

    def read(self, start, stop):
        return self.array.reshape(-1)[start:stop]


def compared(obtained, expected, envelope, name=COSTS, block_bytes=1 << 19):
    sides = [Kept(np.asarray(side, np.float64)) for side in (obtained, expected)]
    return compare_array(name, *sides, envelope, block_bytes)


def off(at, by):
    values = np.ones(6)
    values[at] += by
    return values


@pytest.mark.parametrize("block_bytes", [8, 1 << 19])
@pytest.mark.parametrize(
    ("at", "by", "verdict"),
    [
        (0, 5e-7, Verdict.CLOSE),
        (1, 2e-6, Verdict.DRIFT),
        (2, 2e-6, Verdict.CLOSE),
        (3, 2e-3, Verdict.DRIFT),
        (4, 5.0, Verdict.CHAOTIC),
        (5, np.nan, Verdict.NONFINITE),
        (0, 0.0, Verdict.IDENTICAL),
    ],
)
def test_each_row_by_its_own_bound(at, by, verdict, block_bytes):
    found = compared(off(at, by), np.ones(6), GROWING, block_bytes=block_bytes)
    assert found.verdict is verdict
    assert found.judged == 4


def test_how_many_times_beyond():
    found = compared(off(1, 3e-6), np.ones(6), GROWING)
    assert found.times == pytest.approx(3, rel=1e-6)
    assert found.first_outside == (1,)


def test_what_is_judged_goes_before_what_is_not():
    obtained = off(4, 5.0) + off(1, 3e-6) - 1
    found = compared(obtained, np.ones(6), GROWING)
    assert (found.verdict, found.worst, found.outside) == (Verdict.DRIFT, (1,), 1)
    assert (found.first, found.differing) == ((1,), 2)


def test_rows_of_several_values():
    expected = np.ones((3, 4))
    obtained = expected.copy()
    obtained[1, 2] += 1e-4
    envelope = Envelope.of((0, 1), (1e-6, 1e-3), 0.0)
    assert compared(obtained, expected, envelope).verdict is Verdict.CLOSE
    obtained[0, 3] += 1e-4
    found = compared(obtained, expected, envelope)
    assert (found.verdict, found.worst) == (Verdict.DRIFT, (0, 3))


def test_an_array_without_rows_and_an_empty_one():
    envelope = Envelope.of((0,), (1e-6,), 0.0)
    assert compared(1.0, 1.0 + 1e-7, envelope).verdict is Verdict.CLOSE
    found = compared(1.0 + 2e-6, 1.0, envelope)
    assert (found.verdict, found.times) == (Verdict.DRIFT, pytest.approx(2, rel=1e-4))
    assert compared(np.ones(0), np.ones(0), envelope).verdict is Verdict.IDENTICAL


def test_an_array_that_was_not_kept():
    values = np.linspace(1, 2, 10_000)
    kept, other = summarized(Picked(values, "float64")), values + 1e-4
    obtained = summarized(Picked(other, "float64"))
    for bound, verdict in ((1e-3, Verdict.CLOSE), (1e-6, Verdict.DRIFT), (math.inf, "chaotic")):
        envelope = Envelope.of((0,), (bound,), 0.0)
        assert compare_array("weights/0.w", obtained, kept, envelope).verdict == verdict
    same = compare_array("weights/0.w", kept, kept, Envelope.of((0,), (math.inf,), 0.0))
    assert same.verdict is Verdict.IDENTICAL
