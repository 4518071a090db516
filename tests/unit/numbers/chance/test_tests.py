"""The tests of mean, spread, margin and rates: against SciPy, and against known answers."""

import numpy as np
import pytest
from scipy import stats

from keras_repro.numbers.chance.location import dealt, p_of_location, welch_t
from keras_repro.numbers.chance.rates import p_of_rates, rates_apart
from keras_repro.numbers.chance.spread import p_of_spread
from keras_repro.numbers.chance.within import apart, deviation_of, own_margin


@pytest.fixture
def two():
    generator = np.random.default_rng(5)
    return generator.normal(size=(3, 12)), generator.normal(0.5, 2, size=(3, 9))


def test_the_statistic_is_welchs(two):
    expected = stats.ttest_ind(two[1], two[0], axis=1, equal_var=False).statistic
    assert welch_t(*two) == pytest.approx(expected)


def test_all_permutations_of_few_seeds_are_scipys(two):
    def statistic(ours, theirs, axis):
        errors = [side.var(axis, ddof=1) / side.shape[axis] for side in (ours, theirs)]
        return np.abs(theirs.mean(axis) - ours.mean(axis)) / np.sqrt(sum(errors))

    for ours, theirs in zip(two[0][:, :5], two[1][:, :4], strict=True):
        found = stats.permutation_test(
            (ours, theirs), statistic, vectorized=True, alternative="greater"
        )
        assert p_of_location(ours, theirs) == pytest.approx(found.pvalue)


def test_of_more_some_are_drawn_and_always_the_same(two):
    p = p_of_location(*two)
    welch = stats.ttest_ind(two[1], two[0], axis=1, equal_var=False).pvalue
    assert p == pytest.approx(welch, abs=0.05)
    assert (p_of_location(*two) == p).all()
    assert len(dealt(12, 9)) == 10_000
    assert (dealt(12, 9).sum(1) == 12).all()


@pytest.mark.parametrize(
    ("ours", "theirs", "p"),
    [
        (np.full(5, 1.0), np.full(5, 1.0), 1.0),
        (np.full(5, 1.0), np.full(5, 2.0), 2 / 252),
        (np.full(2, 1e300), np.full(2, 2e300), 2 / 6),
        (np.full(5, 1.0), np.array([1.0, 1.0, 1.0, 1.0, 2.0]), 1.0),
        (np.zeros(5), np.zeros(5), 1.0),
    ],
)
def test_ties_and_constants(ours, theirs, p):
    assert p_of_location(ours, theirs) == pytest.approx(p)


def test_spread_is_levenes_about_the_median(two):
    expected = [
        stats.levene(ours, theirs, center="median").pvalue
        for ours, theirs in zip(*two, strict=True)
    ]
    assert p_of_spread(*two) == pytest.approx(expected)


def test_a_spread_of_few_seeds_is_never_certain():
    two_values = np.array([-1.0, 1.0, -1.0, 1.0])
    assert p_of_spread(np.zeros(4), two_values) == pytest.approx(1 / 70)
    assert p_of_spread(np.zeros(4), np.ones(4)) == 1


def test_a_given_margin_is_welchs_two_one_sided_tests(two):
    found = apart(*two, 1.0, 0.0)
    interval = stats.ttest_ind(two[1], two[0], axis=1, equal_var=False).confidence_interval(0.9)
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    for at, (ours, theirs) in enumerate(zip(*two, strict=True)):
        upper = stats.ttest_ind(theirs, ours + 1, equal_var=False, alternative="less")
        lower = stats.ttest_ind(theirs, ours - 1, equal_var=False, alternative="greater")
        assert found.p[at] == pytest.approx(max(upper.pvalue, lower.pvalue))


def test_a_margin_of_deviations_is_a_test_against_what_each_seed_owes_it(two):
    ours, theirs = two
    deviation = ours.std(1, ddof=1, keepdims=True)
    around = ours - ours.mean(1, keepdims=True)
    share = (around**2 - (around**2).mean(1, keepdims=True)) / (2 * deviation)
    found = apart(ours, theirs, deviation[:, 0], 1.0)
    upper = stats.ttest_ind(
        theirs, ours + deviation + share, axis=1, equal_var=False, alternative="less"
    )
    end = upper.confidence_interval(0.95).high + deviation[:, 0]
    assert found.high == pytest.approx(end)


@pytest.mark.parametrize("deviations", [0.0, 1.0, 2.0])
def test_the_interval_is_within_the_margin_just_where_p_is_small(deviations):
    generator = np.random.default_rng(1)
    ours, theirs = generator.normal(size=(500, 12)), generator.normal(0.4, 1, size=(500, 9))
    margin = deviations * deviation_of(ours) if deviations else 1.0
    found = apart(ours, theirs, margin, deviations)
    assert (found.within(margin) == (found.p < 0.05)).all()
    assert 0 < found.within(margin).mean() < 1


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(1), np.zeros(9)])
def test_what_does_not_vary_is_no_margin(values):
    assert own_margin(values).value == 0


def test_what_hardly_varies_has_rounding_as_its_margin():
    assert own_margin(np.full(9, -0.1)).value == pytest.approx(1e-6)
    assert own_margin(np.array([1.0, 1.0 + 1e-9])).deviations is None
    assert own_margin(np.array([1.0, 1.1])).deviations == 1


def test_rates():
    assert p_of_rates(0, 30, 6, 30) == pytest.approx(0.0237, abs=1e-4)
    # The first example of Newcombe's table II, there at 95 %: 56/70 - 48/80 is 0.0524 to 0.3339.
    low, high = rates_apart(48, 80, 56, 70)
    assert 0.0524 < low < 0.2 < high < 0.3339
    low, high = rates_apart(0, 30, 0, 30)
    assert -low == high == pytest.approx(0.0827, abs=1e-4)
