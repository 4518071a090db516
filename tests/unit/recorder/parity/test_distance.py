"""How far arrays are apart is a figure, or says why it is none."""

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.parity import distance

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("mine", "other", "apart"),
    [
        ([1, -4], [1, -3], 0.25),
        ([0, 0], [0, 3], 3),
        ([NAN, 2], [NAN, 2], 0),
        ([INF, 2], [INF, 3], 0.5),
        ([INF, 2], [-INF, 2], contract.ANOTHER_KIND),
        ([INF, 2], [NAN, 2], contract.ANOTHER_KIND),
        ([1, 2], [1, NAN], contract.ANOTHER_KIND),
        ([1, 2], [1], contract.ANOTHER_SHAPE),
        ([], [], 0),
    ],
)
def test_apart(mine, other, apart):
    assert distance.apart(np.float32(mine), np.float32(other)) == apart


def test_what_has_no_figure_is_furthest():
    assert distance.furthest([]) == 0
    assert distance.furthest([1, 3, 2]) == 3
    assert distance.furthest([1, contract.ANOTHER_SHAPE, 2]) == contract.ANOTHER_SHAPE


def test_how_far_whole_numbers_are_apart_means_nothing():
    assert distance.facts(np.array([5, 6]), np.array([5, 7])) == {"equal": False}
    assert distance.facts(np.array([5, 6]), np.array([5, 6])) == {"equal": True}
    shapes = distance.facts(np.array([5, 6]), np.array([5]))
    assert shapes == {"equal": False, "apart": contract.ANOTHER_SHAPE}


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [(None, None, True), (None, [True], True), ([True, False], None, False)]
    + [([True], [True], True), ([True], [False], False)],
)
def test_masks(mine, other, same):
    assert distance.same_mask(mine, other) is same
