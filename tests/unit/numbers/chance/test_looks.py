"""Looks at a point while seeds are added, and how often they find what there is."""

import numpy as np
import pytest

from keras_repro.numbers.chance.decide import Decision, Question, Scalar, decide, decision_of
from keras_repro.numbers.chance.location import LEAST, smallest_p
from keras_repro.numbers.chance.looks import Look, Truth, look_at, looks, share_found, truth_of
from keras_repro.numbers.chance.within import Margin
from tests.unit.made import spread_out


@pytest.mark.parametrize(
    ("most", "seeds"),
    [
        (30, [5, 10, 20, 30]),
        (10, [5, 10]),
        (21, [5, 10, 21]),  # a look at 20 would be in vain
        (100, [5, 10, 20, 40, 100]),
        (5, [5]),
    ],
)
def test_the_looks_at_a_point(most, seeds):
    plan = looks(most)
    assert [look.seeds for look in plan] == seeds
    assert sum(look.share for look in plan) == pytest.approx(1)
    assert plan[-1].share == (0.5 if len(plan) > 1 else 1)


def found_at(p_about, level, within=0.05):
    """Decide on two ensembles whose means differ with about this p-value."""
    shift = {0.02: 0.63, 0.0005: 0.97}[p_about]
    [found] = decide(
        [Scalar("", spread_out(30), spread_out(30, shift), Margin(0.1))], level, within
    )
    return found


def test_a_level_of_its_own():
    assert Question.MEAN in found_at(0.02, 0.05).significant
    assert found_at(0.02, 0.05).decision is Decision.DIFFERENT
    assert found_at(0.02, 0.005).decision is Decision.INCONCLUSIVE
    assert found_at(0.0005, 0.005).decision is Decision.DIFFERENT


def test_a_look_has_its_share_of_both_errors():
    scalar = Scalar("", spread_out(30), spread_out(30, 0.1), Margin(0.6))
    [whole], [part] = look_at([scalar], Look(30, 1.0), 0.05), look_at([scalar], Look(30, 0.1), 0.05)
    assert whole.mean_within
    assert not part.mean_within
    assert part.low < whole.low < whole.high < part.high
    assert found_at(0.02, 0.05 * 0.1).significant == frozenset()


def test_small_p_values_are_told_from_one_another():
    """Of the usual number of deals none has a p-value below a ten thousandth."""
    assert smallest_p(30, 30) == pytest.approx(1e-4)
    assert smallest_p(30, 30, LEAST / 10) == pytest.approx(1e-5)
    scalars = [
        Scalar(str(at), spread_out(20), spread_out(20, 3 * (at == 0)), Margin(1)) for at in range(4)
    ]
    level = 0.0005  # of 4 scalars the first has to be below an eighth of it
    assert decision_of(decide(scalars, level)) is Decision.DIFFERENT


def test_how_often_what_there_is_is_found():
    nothing = share_found([Truth((0, 0), (1, 1), Margin(1, 1))], 20, 0.05, 60)
    large = share_found([Truth((0, 3), (1, 1), Margin(1, 1))], 20, 0.05, 60)
    spread = share_found([Truth((0, 0), (1, 8), Margin(1, 1))], 20, 0.05, 60)
    fails = share_found([Truth((0, 0), (1, 1), Margin(1, 1), (0, 0.9))], 20, 0.05, 60)
    assert nothing <= 0.1
    assert large == 1
    assert spread > 0.9
    assert fails > 0.9


def test_the_truth_is_what_was_found():
    lost = np.concatenate([spread_out(15, 2, 3), [np.nan] * 5])
    [found] = decide([Scalar("", spread_out(20), lost, Margin(0.7))])
    truth = truth_of(found)
    assert truth.means == pytest.approx((0, 2), abs=1e-9)
    assert truth.deviations[1] / truth.deviations[0] == pytest.approx(3, rel=0.05)
    assert truth.rates == (0, 0.25)
    assert truth.margin == Margin(0.7)
    [found] = decide([Scalar("", spread_out(20), np.full(20, np.nan), Margin(0.7))])
    assert truth_of(found) is None
