"""The decision on ensembles whose answer is known."""

import numpy as np
import pytest

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import (
    Decision,
    Question,
    Scalar,
    decide,
    decision_of,
)
from keras_repro.numbers.chance.needed import seeds_needed
from keras_repro.numbers.chance.power import power_mean, power_within, seeds_that_decide
from keras_repro.numbers.chance.resampled import resampled
from keras_repro.numbers.chance.within import Margin, own_margin

DIFFERENT, EQUIVALENT, INCONCLUSIVE = Decision


@pytest.fixture
def draw():
    return np.random.default_rng(7).normal


def scalar(expected, obtained, margin=None, primary=True, name="costs/test"):
    expected, obtained = np.asarray(expected, float), np.asarray(obtained, float)
    own = own_margin(expected[ordinary(expected)])
    return Scalar(name, expected, obtained, own if margin is None else Margin(margin), primary)


def one(*given, **more):
    [found] = decide([scalar(*given, **more)])
    return found


def quantiles(count, at=0.0, deviation=1.0):
    """Return what normal values are like that have no chance in them."""
    from scipy import special

    return at + deviation * special.ndtri((np.arange(count) + 0.5) / count)


def test_nothing_differs():
    found = one(quantiles(30), quantiles(30))
    assert found.decision is EQUIVALENT
    assert not found.stated


def test_few_seeds_that_do_not_differ_are_not_called_equivalent():
    found = one(quantiles(6), quantiles(6))
    assert found.decision is INCONCLUSIVE
    assert found.p[Question.MEAN] == 1
    assert seeds_needed([found]) == pytest.approx(22, abs=4)


def test_a_shift():
    found = one(quantiles(30), quantiles(30, at=2))
    assert found.decision is DIFFERENT
    assert found.significant == {Question.MEAN}


def test_a_small_shift_of_many_seeds_is_equivalent_and_stated():
    found = one(quantiles(200), quantiles(200, at=0.4))
    assert found.decision is EQUIVALENT
    assert found.stated
    assert found.low < 0.4 < found.high < found.scalar.margin.value


def test_a_shift_of_the_margin_is_different():
    assert one(quantiles(200), quantiles(200, at=1)).decision is DIFFERENT


def test_a_margin_in_own_units():
    assert one(quantiles(30), quantiles(30, at=0.2), margin=0.3).decision is INCONCLUSIVE
    assert one(quantiles(30), quantiles(30, at=0.2), margin=2).decision is EQUIVALENT


def test_spread_alone():
    found = one(quantiles(30), quantiles(30, deviation=3))
    assert found.decision is DIFFERENT
    assert found.significant == {Question.SPREAD}


def test_the_same_number_everywhere():
    assert one(np.full(30, 0.5), np.full(30, 0.5)).decision is EQUIVALENT
    few = one(np.full(8, 0.5), np.full(8, 0.5))
    assert few.decision is INCONCLUSIVE  # another seed may yet give another number
    assert seeds_needed([few]) == 25


def test_another_constant():
    assert one(np.full(30, 0.5), np.full(30, 0.6)).decision is DIFFERENT
    assert one(np.full(2, 0.5), np.full(2, 0.6)).decision is INCONCLUSIVE
    assert one(np.full(30, 0.5), np.full(30, 0.6), margin=0.2).decision is EQUIVALENT


def test_what_rounding_does_is_no_difference():
    converged = 0.5 + quantiles(30) * 1e-9
    elsewhere = 0.500001 + quantiles(30) * 5e-9
    found = one(converged, elsewhere)
    assert found.decision is EQUIVALENT
    assert found.stated  # though it is no chance
    assert found.scalar.margin == Margin(pytest.approx(5e-6), None)
    assert Question.SPREAD not in found.p
    few = one(converged[::5], elsewhere[::5])
    assert few.decision is INCONCLUSIVE  # a sixth of the seeds may yet end elsewhere
    assert few.mean_within
    assert one(converged, elsewhere + 1e-5).decision is DIFFERENT
    assert one(converged, 0.5 + quantiles(30) * 1e-4).significant == {Question.SPREAD}


def test_a_constant_gives_no_margin(draw):
    assert one(np.full(30, 0.0), draw(0, 1e-9, 30)).decision is DIFFERENT  # it varies now
    found = one(np.full(4, 0.0), draw(0, 1e-9, 4))
    assert found.decision is INCONCLUSIVE
    assert found.scalar.margin.value == 0


def test_ties():
    accuracies = np.repeat([0.9, 0.95, 1.0], 10)
    assert one(accuracies, accuracies).decision is EQUIVALENT
    assert one(accuracies, accuracies - 0.1).decision is DIFFERENT


def fails(values, count, at=2.3):
    return np.concatenate([values[: len(values) - count], np.full(count, at)])


def test_seeds_that_fail_to_train_do_not_widen_the_margin():
    good, worse = quantiles(30, 0.1, 0.01), quantiles(30, 0.2, 0.01)
    found = one(fails(good, 3), fails(worse, 3))
    assert found.apart == (3, 3)
    assert found.decision is DIFFERENT  # within 1 sd of all, which is 0.67
    assert Question.MEAN in found.significant


def test_as_many_that_fail_is_not_shown_by_few_seeds():
    good = quantiles(300, 0.1, 0.01)
    found = one(fails(good[::10], 3), fails(good[::10], 3))
    assert found.decision is INCONCLUSIVE
    assert found.mean_within
    assert not found.rate_within
    assert 40 < seeds_needed([found]) < 200
    assert one(fails(good, 15), fails(good, 15)).decision is EQUIVALENT


def test_more_that_fail():
    good = quantiles(30, 0.1, 0.01)
    found = one(good, fails(good, 10))
    assert found.decision is DIFFERENT
    assert found.significant & {Question.RATE, Question.SPREAD}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_few_that_diverge(bad):
    found = one(quantiles(30), fails(quantiles(30), 2, bad))
    assert found.apart == (0, 2)
    assert found.decision is INCONCLUSIVE
    assert one(quantiles(30), fails(quantiles(30), 12, bad)).significant >= {Question.RATE}


def test_all_that_diverge():
    nothing = np.full(30, np.nan)
    assert one(quantiles(30), nothing).decision is DIFFERENT
    found = one(nothing, nothing)
    assert found.decision is INCONCLUSIVE
    assert seeds_needed([found]) is None


@pytest.mark.parametrize("side", [0, 1])
def test_one_seed_says_nothing_of_a_mean(side):
    sides = [quantiles(30), quantiles(30)]
    sides[side] = sides[side][:1]
    assert one(*sides).decision is INCONCLUSIVE


def test_heavy_tails_are_no_excuse():
    generator = np.random.default_rng(3)
    values = generator.standard_t(2, 60)
    assert one(values[:30], values[30:]).decision is not DIFFERENT
    assert one(values[:30], values[30:] + 30).decision is DIFFERENT


def test_few_values_are_not_split_into_near_and_far():
    assert ordinary(np.array([1.0, 1.0, 1.1, 50.0])).all()
    assert ordinary(np.array([1.0] * 9 + [2.0, 1e9])).all()  # half are the same
    assert list(ordinary(np.array([1.0, np.nan]))) == [True, False]


def test_any_scalar_makes_them_different_and_every_primary_one_equivalent():
    alike = scalar(quantiles(30), quantiles(30))
    off = scalar(quantiles(30), quantiles(30, at=3), primary=False, name="weights")
    unclear = scalar(quantiles(5), quantiles(5), primary=False, name="other")
    assert decision_of(decide([alike])) is EQUIVALENT
    assert decision_of(decide([alike, off])) is DIFFERENT
    assert decision_of(decide([alike, unclear])) is EQUIVALENT  # it asks nothing of that one
    assert decision_of(decide([unclear])) is not EQUIVALENT  # none is primary
    assert decision_of([]) is INCONCLUSIVE


def test_many_scalars_are_judged_together():
    near = quantiles(30), quantiles(30, at=0.65)
    alone = one(*near)
    assert Question.MEAN in alone.significant
    others = [scalar(quantiles(30), quantiles(30), name=f"{n}") for n in range(19)]
    first = decide([scalar(*near), *others])[0]
    assert first.p == alone.p
    assert not first.significant


def test_power_is_what_simulation_finds(draw):
    from keras_repro.numbers.chance.within import apart, deviation_of

    for n, m, shift in ((30, 30, 0.0), (30, 10, 0.0), (30, 30, 0.4)):
        ours, theirs = draw(size=(5000, n)), draw(shift, 1, size=(5000, m))
        margin = deviation_of(ours)
        simulated = apart(ours, theirs, margin, 1.0).within(margin).mean()
        assert power_within(shift, n, m, 1, 1, 1) == pytest.approx(simulated, abs=0.025)


def test_power_of_a_difference():
    # Known: a t-test at 5 % finds 1 sd with 80 % at 17 and 17 (Cohen, 1988, table 2.3.5).
    assert power_mean(1, 17, 17, 1, 1) == pytest.approx(0.8, abs=0.01)


def test_how_many_seeds_decide():
    assert seeds_that_decide(0, 1, 1, 0, 2) == pytest.approx(18, abs=2)
    assert seeds_that_decide(0, 1, 1, 1, 2) > seeds_that_decide(0, 1, 1, 0, 2)
    assert seeds_that_decide(1, 1, 1, 1, 2) < 200  # the difference is found instead
    assert seeds_that_decide(0, 1, 1e-6, 0, 2) is None


def test_on_own_seeds(draw):
    seeds = draw(size=30)
    rates = resampled(
        [scalar(seeds, draw(size=30)), scalar(np.exp(seeds / 9), draw(size=30), name="b")]
    )
    assert rates.size < 0.08
    assert rates.mistaken < 0.08
    assert 0.8 < rates.power <= min(rates.power_of.values()) <= 1
    assert rates.seen > 0.8
    assert resampled([scalar(np.ones(30), np.ones(30))]) is None
    assert resampled([scalar(seeds[:5], seeds)]) is None
