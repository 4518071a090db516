"""What parts after the first batch: the first step, costs that jump, and results."""

import numpy as np
import pytest

from keras_repro.studies.parity import trajectory
from keras_repro.studies.parity.bounds import ULPS
from tests.unit.studies.parity.sides import EXACT

COSTS = 1.0 / np.arange(1, 41)


@pytest.mark.parametrize(
    ("mine", "other", "parts"),
    [
        ([1, 0.5, 0.2], [1, 0.5, 0.1], False),  # only later: rounding that grows
        ([1, 0.5], [1, 0.51], True),
        ([1, 0.5], [1.01, 0.51], False),  # the loss already parts
        ([1], [1], False),
        ([np.nan, 1], [1, 1], False),
    ],
)
def test_an_optimizer_parts_in_the_first_step(mine, other, parts):
    found = trajectory.optimizer_parts(np.array(mine, float), np.array(other, float))
    assert (found is not None) is parts


@pytest.mark.parametrize(
    ("factor", "step"),
    [
        (1 + 1e-7 * 2.0 ** np.arange(40), None),  # rounding that doubles until it is all there is
        (1 + 1e-7 * 4.0 ** np.arange(40), None),
        (np.where(np.arange(40) < 20, 1 + 1e-7, 1.02), None),  # little, late
        (np.where(np.arange(40) < 20, 1 + 1e-7, 3), 20),
        (np.where(np.arange(40) < 3, 1 + 1e-7, 1.01), 3),
        (np.full(40, 3.0), 0),
        (np.full(40, 1.0), None),
        (np.where(np.arange(40) < 2, 1 + 1e-7, np.nan), None),
    ],
)
def test_costs_part_where_they_jump_further_than_rounding(factor, step):
    assert trajectory.costs_part(trajectory.costs_apart(COSTS, COSTS * factor)) == step


def test_costs_part_less_in_16_bits_and_within_a_tolerance():
    apart = trajectory.costs_apart(COSTS, COSTS * 1.01)
    assert trajectory.costs_part(apart) == 0
    assert trajectory.costs_part(apart, ulps=ULPS["float16"]) is None
    assert trajectory.costs_part(apart, least=0.1) is None


@pytest.mark.parametrize(
    ("factor", "grown", "parts"),
    [(1 + 1e-4, None, False), (1.01, None, True), (1.01, 1e-7, False), (1.5, 1e-7, True)]
    + [(1.5, 1e-2, False)],
)
def test_what_is_predicted_parts_by_how_far_training_grew_apart(factor, grown, parts):
    assert bool(trajectory.results_part(EXACT, EXACT * factor, grown)) is parts


def test_predictions_of_another_shape_part():
    assert trajectory.results_part(EXACT, EXACT[:3], 1.0) == "have shape (8, 8) and (3, 8)"
