"""How often what is said where the truth is known: by simulation. docs/chance.md has more of it."""

import numpy as np
import pytest

from keras_repro.numbers.chance.decide import Decision, Scalar, decide, decision_of
from keras_repro.numbers.chance.location import p_of_location
from keras_repro.numbers.chance.within import apart, deviation_of, own_margin

pytestmark = pytest.mark.long

PAIRS = 20_000


def share_within(draw, n, m, shift, deviations, pairs=PAIRS):
    """Return how often the mean is shown to be within one deviation of the expected seeds."""
    expected, obtained = draw(size=(pairs, n)), draw(size=(pairs, m)) + shift
    margin = deviation_of(expected)
    return apart(expected, obtained, margin, deviations).within(margin).mean()


@pytest.fixture
def generator():
    return np.random.default_rng(11)


@pytest.mark.parametrize(
    ("n", "m", "share"), [(30, 30, 0.96), (30, 20, 0.89), (30, 10, 0.64), (10, 5, 0.16)]
)
def test_a_margin_that_is_taken_for_exact(generator, n, m, share):
    """What was simulated before any of this was written."""
    assert share_within(generator.normal, n, m, 0.0, 0.0) == pytest.approx(share, abs=0.015)


def test_a_margin_that_is_taken_for_exact_errs_too_often(generator):
    assert share_within(generator.normal, 30, 30, 1.0, 0.0) == pytest.approx(0.058, abs=0.005)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (30, 30), (30, 20), (30, 10), (10, 10), (10, 5)])
def test_with_the_margins_own_error_it_errs_in_at_most_5_percent(generator, n, m):
    assert share_within(generator.normal, n, m, 1.0, 1.0) <= 0.05


@pytest.mark.parametrize("shift", [1.0, -1.0])
@pytest.mark.parametrize(
    "draw",
    [
        lambda g, size: g.standard_t(3, size) / np.sqrt(3),
        lambda g, size: g.standard_t(5, size) / np.sqrt(5 / 3),
        lambda g, size: (np.exp(g.normal(size=size) / 2) - np.exp(1 / 8)) / 0.6039,
    ],
)
def test_neither_heavy_tails_nor_skewed_values_let_it_err_more(generator, draw, shift):
    share = share_within(lambda size: draw(generator, size), 30, 30, shift, 1.0)
    assert share <= 0.05


def test_what_that_costs(generator):
    assert share_within(generator.normal, 30, 30, 0.0, 1.0) == pytest.approx(0.937, abs=0.01)


@pytest.mark.parametrize(
    "draw",
    [
        lambda g, size: g.normal(size=size),
        lambda g, size: np.exp(g.normal(size=size)),
        lambda g, size: g.normal(size=size) + 50.0 * (g.random(size) < 0.1),
    ],
)
def test_where_nothing_differs_5_percent_are_found_to_whatever_the_shape(generator, draw):
    p = p_of_location(draw(generator, (2000, 10)), draw(generator, (2000, 5)))
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_decisions_on_several_scalars(generator, shift):
    counts = dict.fromkeys(Decision, 0.0)
    for _ in range(300):
        scalars = []
        for at in range(5):
            expected, obtained = generator.normal(size=(2, 30))
            own = own_margin(expected)
            scalars.append(Scalar(str(at), expected, obtained + shift * (at == 0), own))
        counts[decision_of(decide(scalars))] += 1 / 300
    if shift:
        assert counts[Decision.EQUIVALENT] <= 0.05
        assert counts[Decision.DIFFERENT] > 0.8
    else:
        assert counts[Decision.DIFFERENT] <= 0.08
        assert counts[Decision.EQUIVALENT] > 0.6
