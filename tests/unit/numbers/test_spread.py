"""Bounds from how far runs were moved: they cover, they grow with a series, they end in chaos."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.numbers import spread
from keras_repro.numbers.envelopes import Envelope

UNIT = 2.0**-23
ONE = np.ones(1)


def moved(runs, rows=1, growth=0.0, seed=0):
    """Return distances whose logarithms are normal, and grow with the rows."""
    random = np.random.default_rng(seed)
    return np.exp(random.normal(-14, 0.7, (runs, 1)) + growth * np.arange(rows))


def bounds(distances, sizes, unit, series):
    near = spread.in_reach(distances) if series else distances
    return spread.envelope(distances, near, sizes, unit)


def test_the_factor_is_that_of_the_tables():
    """Natrella's Experimental Statistics (1963), table A-7: P = 0.999, gamma = 0.95, n = 20."""
    assert spread.factor(20) == pytest.approx(4.319, abs=0.005)
    assert spread.factor(30) == pytest.approx(4.022, abs=0.005)


def test_at_most_one_run_in_a_thousand_is_beyond():
    beyond = 0
    for seed in range(100):
        found = bounds(moved(20, seed=seed), ONE, UNIT, series=False)
        others = moved(1000, seed=1000 + seed)
        beyond += sum(spread.beyond(one, ONE, found) > 1 for one in others)
    assert 0 < beyond < 100 * 1000 * (1 - spread.CONTENT)


def test_a_bound_is_tight():
    seen = moved(20)
    [bound] = bounds(seen, ONE, UNIT, series=False).bounds
    assert seen.max() < bound < spread.MOST * seen.max()


def test_what_nothing_moves_may_be_rounded_and_no_more():
    found = bounds(np.zeros((20, 1)), ONE, UNIT, series=False)
    assert spread.beyond(np.array([4 * UNIT]), ONE, found) == 1
    assert spread.beyond(np.array([5 * UNIT]), ONE, found) > 1


def test_of_few_that_move_it_no_deviation_is_taken():
    distances = np.zeros((20, 1))
    distances[:2] = 1e-6
    found = bounds(distances, ONE, UNIT, series=False)
    assert found.bounds == (pytest.approx(spread.MOST * 1e-6),)


def test_a_series_is_judged_step_by_step_until_rounding_alone_moves_it_as_far():
    rows = 400
    found = bounds(moved(20, rows, 0.05), np.ones(rows), UNIT, series=True)
    assert found.bounds[0] < 1e-4 < found.bounds[-2]
    assert math.isinf(found.bounds[-1])
    assert found.horizon is not None
    assert 150 < found.horizon < 300
    assert list(found.bounds[:-1]) == sorted(found.bounds[:-1])


def test_where_a_difference_passes_through_zero_the_bound_does_not():
    rows = 100
    turning = np.abs(np.cos(np.arange(rows) / 3)) * 1e-6 * np.ones((20, 1))
    found = bounds(turning, np.ones(rows), UNIT, series=True)
    assert min(found.bounds) > 5e-7


def test_a_series_that_nothing_moves_at_first():
    distances = np.zeros((20, 200))
    distances[:, 150:] = moved(20)
    found = bounds(distances, np.ones(200), UNIT, series=True)
    assert (found.bounds[0], found.at(100).atol) == (0.0, 0.0)
    assert found.at(180).atol > 0


def test_integers_are_equal_or_not_judged():
    same = bounds(np.zeros((20, 1)), ONE, 0.0, series=False)
    assert (same.bounds, same.rtol) == ((0.0,), 0.0)
    changed = np.zeros((20, 1))
    changed[3] = 1
    assert bounds(changed, ONE, 0.0, series=False).bounds == (math.inf,)


@given(
    st.lists(st.floats(0, 1e300), min_size=1, max_size=60),
    st.integers(8, 12),
    st.booleans(),
)
def test_every_run_is_within_the_bounds_that_it_helped_to_make(values, runs, series):
    distances = np.outer(np.linspace(0.1, 1, runs), values)
    if not series:
        distances = distances[:, :1]
    sizes = np.full(distances.shape[1], 1.0)
    found = bounds(distances, sizes, UNIT, series)
    assert all(spread.beyond(one, sizes, found) <= 1 for one in distances)
    assert found.starts[0] == 0
    assert sum(stop - start for start, stop, _ in found.stretches(len(sizes))) == len(sizes)


def test_an_envelope_of_an_array_of_other_length_covers_what_is_there():
    found = Envelope.of((0, 10), (1.0, 2.0), 0.0)
    assert [part[:2] for part in found.stretches(5)] == [(0, 5)]
    assert [part[:2] for part in found.stretches(20)] == [(0, 10), (10, 20)]
    assert found.at(30).atol == 2.0
