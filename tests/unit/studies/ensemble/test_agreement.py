"""How far seeds agree: against each pair of them counted, and what a test makes of it."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from keras_repro.runs.run import read_run
from keras_repro.studies.ensemble.agreement import _pseudo_values, _squares, agreement
from tests.unit.made import ARRAYS, make_run
from tests.unit.trails import data

NAME = "predictions/0"
DISTANCE, CLASSES = f"{NAME}@distance", f"{NAME}@classes"


@pytest.fixture
def runs(tmp_path):
    """Return what makes runs of predictions: {seed: array}, or more arrays."""

    def make(predictions, given=lambda seed: 1.0, call="predict"):
        found = {}
        for seed, value in predictions.items():
            arrays = value if isinstance(value, dict) else {NAME: value}
            trail = [data("x", np.float32(given(seed)), call=call)]
            make_run(tmp_path / str(seed), {**ARRAYS, **arrays}, trail=trail)
            found[seed] = read_run(tmp_path / str(seed))
        return found

    return make


def jackknife(values, of_pair, of_mean):
    """Return the pseudo-values, each counted from the pairs."""

    def whole(some):
        found = [of_pair(one, other) for one, other in combinations(some, 2)]
        return of_mean(np.mean(found))

    values = list(values)
    rest = [[other for other in values if other is not one] for one in values]
    return [len(values) * whole(values) - (len(values) - 1) * whole(some) for some in rest]


def test_the_distance_is_that_over_all_pairs(runs):
    random = np.random.RandomState(0)
    values = {seed: 1e4 + random.normal(size=(7, 2)) for seed in range(5)}
    found = agreement(runs(values))
    assert list(found) == [DISTANCE]
    counted = jackknife(values.values(), lambda one, other: np.mean((one - other) ** 2), np.sqrt)
    assert list(found[DISTANCE].values()) == pytest.approx(counted)


def test_classes_are_those_over_all_pairs(runs):
    random = np.random.RandomState(0)
    values = {seed: random.dirichlet(np.ones(4), size=9).astype("float32") for seed in range(6)}
    found = agreement(runs(values))
    assert list(found) == [DISTANCE, CLASSES]

    def same(one, other):
        return np.mean(one.argmax(-1) == other.argmax(-1))

    counted = jackknife(values.values(), same, float)
    assert list(found[CLASSES].values()) == pytest.approx(counted)
    alike = dict.fromkeys(range(4), values[0])
    assert set(agreement(runs(alike))[CLASSES].values()) == {1.0}
    assert set(agreement(runs(alike))[DISTANCE].values()) == {0.0}


def test_the_last_prediction_of_each_model_counts(runs):
    random = np.random.RandomState(0)
    both = {
        seed: {NAME: random.normal(size=3), "predictions/1": random.normal(size=4)}
        for seed in range(3)
    }
    assert list(agreement(runs(both))) == ["predictions/1@distance"]


def test_nothing_is_told_where_the_data_are_others_or_not_known(runs):
    values = {seed: np.full(3, float(seed)) for seed in range(4)}
    assert agreement(runs(values))
    assert agreement(runs(values, given=float)) == {}
    assert agreement(runs(values, call="fit")) == {}
    assert agreement(runs({seed: values[seed] for seed in range(2)})) == {}
    assert agreement(runs({**values, 3: np.zeros(4)})) == {}
    assert agreement(runs({**values, 3: {"predictions/1": np.zeros(3)}})) == {}


def test_a_seed_that_diverged_has_no_number_and_is_none_of_the_others(runs):
    values = {seed: np.full(3, float(seed)) for seed in range(4)}
    found = agreement(runs({**values, 9: np.array([1.0, np.nan, 2.0])}))[DISTANCE]
    assert np.isnan(found.pop(9))
    assert found == pytest.approx(agreement(runs(values))[DISTANCE])


def test_a_test_on_them_has_the_error_that_it_says():
    """Numbers of seeds of their own would be called different in a third of all cases."""
    random, wrong, count = np.random.RandomState(0), Counter(), 600
    for _ in range(count):
        sides = [_squares(random.normal(size=(20, 3))) for _ in range(2)]
        own = [np.sqrt(side / 19) for side in sides]
        wrong["own"] += stats.ttest_ind(*own, equal_var=False).pvalue < 0.05
        pseudo = [_pseudo_values(side, np.sqrt) for side in sides]
        wrong["pseudo"] += stats.ttest_ind(*pseudo, equal_var=False).pvalue < 0.05
    assert wrong["pseudo"] / count < 0.07
    assert wrong["own"] / count > 0.25
