"""Whether figures may differ by rounding alone."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from keras_repro.numbers.rounding import Figures, relative, scale_of, within_rounding

FINITE = st.floats(-1e6, 1e6, width=32)


def figures(array, dtype="float32"):
    wide = np.asarray(array, np.float64).reshape(-1)
    known = wide.mean(), wide.min(), wide.max(), np.linalg.norm(wide)
    return Figures(dtype, wide.size, *map(float, known))


@given(arrays(np.float32, array_shapes(), elements=FINITE), st.integers(0, 2**32 - 1))
def test_an_array_of_which_each_element_is_rounded_is_within(array, seed):
    off = np.random.RandomState(seed).uniform(-1, 1, array.shape) * np.finfo(np.float32).eps
    other = array.astype(np.float64) * (1 + off)
    for steps in (0, 1, 1000):
        assert within_rounding(figures(array), figures(other), steps)
        assert within_rounding(figures(other), figures(array), steps)


@pytest.mark.parametrize("name", ["mean", "minimum", "maximum", "norm"])
def test_each_figure_that_is_another_tells(name):
    one = figures(np.random.RandomState(0).uniform(-1, 1, 100))
    other = Figures(**{**vars(one), name: getattr(one, name) + 1e-3})
    assert within_rounding(one, one, 0)
    assert within_rounding(one, other, 0) is False
    assert within_rounding(one, Figures(**{**vars(one), name: None}), 0)


def test_more_is_allowed_after_more_steps_and_to_types_of_fewer_bits():
    allowed = [relative("float32", steps) for steps in (0, 1, 2, 8, 100, 10**6)]
    assert allowed == sorted(allowed)
    assert allowed[0] == 1e-5
    assert allowed[-1] == 1e-2
    assert relative("bfloat16", 0) > relative("float16", 0) > 1e-3


def test_what_cancels_out_is_rounded_as_its_terms_are():
    one, other = (figures(np.array([x, -x])) for x in (5e-6, 4e-6))
    assert within_rounding(one, other, 0) is False
    assert within_rounding(one, other, 0, scale=0.3)
    assert scale_of([figures(np.full(30, 2.0)), figures(np.full(10, -2.0))]) == pytest.approx(2.0)
    assert scale_of([Figures("float32", 3, None, None, None, None)]) == 0.0


def test_without_figures_nothing_is_known():
    assert within_rounding(*[Figures("float32", 3, None, None, None, None)] * 2, 0) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, 1.0])
@pytest.mark.parametrize("other", [float("nan"), float("inf"), float("-inf"), 1e308, 1.0])
def test_what_is_not_finite_is_so_on_both_sides_or_tells(value, other):
    one, two = (Figures("float32", 1, x, x, x, abs(x)) for x in (value, other))
    assert within_rounding(one, two, 0) is (repr(value) == repr(other))
