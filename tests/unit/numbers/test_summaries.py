"""Arrays that were not kept, but for a digest, figures and a sample, against all others."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.numbers.comparison import EXACT, Verdict, compare_array
from keras_repro.numbers.differences import BFLOAT16, Tolerance
from keras_repro.numbers.summaries import Figures, Picked, Summary, summarized
from keras_repro.recorder.blocks import blocks
from keras_repro.recorder.contract import SAMPLE, sample_places
from keras_repro.recorder.summaries import summary_of
from tests.unit.made import InMemory

TOLERANCE = Tolerance(1e-5, 1e-7)
SIZE = 100_000
UNSEEN = 1  # a place that is not in the sample


def kept(array, name=""):
    """Return the summary that the recorder makes of an array."""
    facts, sample = summary_of(array.dtype, array.shape, blocks(array))
    figures = {name: facts[name] for name in ("nonfinite", "mean", "minimum", "maximum", "norm")}
    name = name or facts["dtype"]
    return Summary(name, array.shape, facts["sha256"], Figures(**figures), Picked(sample, name))


def made(seed=0, dtype="float32", shape=(SIZE,)):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def verdict(obtained, expected, tolerance=TOLERANCE):
    """Return the verdict, which is the same whichever side was not kept."""
    sides = [
        (kept(obtained), kept(expected)),
        (InMemory(obtained), kept(expected)),
        (kept(obtained), InMemory(expected)),
    ]
    found = [compare_array("a", *pair, tolerance) for pair in sides]
    assert len({one.verdict for one in found}) == 1
    return found[0]


@given(st.integers(0, 10**7))
def test_the_places_begin_and_end_and_are_evenly_spread(size):
    places = sample_places(size)
    assert len(places) == min(size, SAMPLE)
    assert places[:1] == [0][:size]
    assert places[-1:] == ([size - 1] if size else [])
    steps = {after - before for before, after in itertools.pairwise(places)}
    assert len(steps) <= 2
    assert all(step > 0 for step in steps)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int8", "bool"])
@pytest.mark.parametrize("odd", [(), (np.nan,), (np.inf, -np.inf, np.nan)])
def test_inside_and_outside_make_the_same_of_an_array(dtype, odd, monkeypatch):
    monkeypatch.setattr("keras_repro.recorder.blocks.BLOCK", 777)
    array = made(dtype="complex64" if dtype == "complex64" else "float64") * 3
    if dtype not in ("int8", "bool"):
        array[: len(odd)] = odd
    array = array.astype(dtype).reshape(100, -1)
    for each in (array, array.T, array[::3, 1:]):
        inside, outside = kept(each), summarized(InMemory(each))
        assert inside.sha256 == outside.sha256
        assert (inside.name, inside.shape, inside.size) == (dtype, each.shape, each.size)
        flat = np.ascontiguousarray(each).reshape(-1)
        expected = flat[sample_places(flat.size)]
        for side in (inside, outside):
            assert side.sample.read(0, SAMPLE).tobytes() == expected.tobytes()
        assert inside.figures.nonfinite == outside.figures.nonfinite
        for name in ("mean", "minimum", "maximum", "norm"):
            one, other = (getattr(side.figures, name) for side in (inside, outside))
            assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


def test_the_same_bits_are_identical_and_every_other_bit_is_not():
    array = made()
    other = array.copy()
    other[UNSEEN] = np.nextafter(other[UNSEEN], 9, dtype=np.float32)
    assert verdict(array, array.copy()).verdict is Verdict.IDENTICAL
    found = verdict(other, array)
    assert (found.verdict, found.sample) == (Verdict.CLOSE, SAMPLE)
    assert found.differing == 1
    assert found.first is None
    assert found.note.startswith("judged on a sample of 4,096 of 100,000 values")
    assert verdict(other, array, EXACT).verdict is Verdict.DRIFT  # nothing is tolerated


def test_what_is_in_the_sample_is_compared_as_ever():
    array = made(shape=(100, 1000))
    other = array.copy()
    place = sample_places(SIZE)[7]
    other.reshape(-1)[place] += 0.5
    found = verdict(other, array)
    assert found.verdict is Verdict.DRIFT
    assert found.worst == tuple(np.unravel_index(place, array.shape))
    assert found.max_absolute == pytest.approx(0.5, rel=1e-5)
    assert (found.obtained, found.expected) == (other[found.worst], array[found.worst])
    other.reshape(-1)[place] = np.nan
    assert verdict(other, array).verdict is Verdict.NONFINITE


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        (lambda array: array.__setitem__(UNSEEN, 10), "maximum"),
        (lambda array: array.__setitem__(UNSEEN, -10), "minimum"),
        (lambda array: array.__setitem__(slice(1, 20), array[1:20] + 0.9), "mean"),
        (lambda array: array.__setitem__(slice(1, 20), array[1:20] * -0.5), "norm"),
    ],
)
def test_what_is_not_in_the_sample_shows_in_a_figure(change, figure):
    array = made() * 0.5
    array[:20] = np.linspace(-0.5, 0.5, 20)
    if figure == "norm":
        array[1:20] = 0.7 * np.tile([1, -1], 10)[:19]
        array[19] = 0
    other = array.copy()
    change(other)
    found = verdict(other, array)
    assert found.verdict is Verdict.DRIFT
    assert figure in found.note
    assert found.outside == 1


def test_one_more_that_is_not_finite_is_told_wherever_it_is():
    array = made()
    other = array.copy()
    other[UNSEEN] = np.inf
    assert verdict(other, array).verdict is Verdict.NONFINITE


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
def test_what_has_no_tolerance_is_identical_or_not(dtype):
    array = (made() > 0).astype(dtype)
    other = array.copy()
    other[UNSEEN : UNSEEN + 2] = [1, 0]
    array[UNSEEN : UNSEEN + 2] = [0, 1]
    assert verdict(other, array, Tolerance(1.0, 1.0)).verdict is Verdict.DRIFT


@given(st.integers(0, 2**32), st.sampled_from(["float16", "float32", "float64"]))
def test_no_array_whose_elements_are_close_drifts(seed, dtype):
    draw = np.random.default_rng(seed)
    shift, scale = draw.normal() * 10 ** draw.uniform(-3, 3), 10 ** draw.uniform(-3, 3)
    array = (draw.normal(size=9_000) * scale + shift).astype(dtype)
    tolerance = Tolerance(10 ** draw.uniform(-6, -1), 10 ** draw.uniform(-8, 1))
    allowed = tolerance.atol + tolerance.rtol * np.abs(array.astype(float))
    sign = draw.choice([-1, 1]) if seed % 2 else draw.uniform(-1, 1, array.size)
    other = (array + sign * allowed).astype(dtype)
    close = np.isclose(other, array, tolerance.rtol, tolerance.atol)
    other[~close] = array[~close]
    found = compare_array("a", kept(other), kept(array), tolerance)
    assert found.verdict.passes, found.note


def test_another_shape_or_dtype_is_said_as_ever():
    array = made()
    assert verdict(array.reshape(100, -1), array).verdict is Verdict.SHAPE
    assert verdict(array.astype(float), array).verdict is Verdict.DTYPE


def test_a_sample_that_is_the_whole_array_tells_where_it_differs():
    array = made(shape=(10, 10))
    other = array.copy()
    other[3, 4] += 1
    found = verdict(other, array)
    assert (found.first, found.sample, found.note) == ((3, 4), 0, "")


def test_bfloat16_is_compared_as_what_it_is():
    array = (made().view(np.uint32) >> 16).astype(np.uint16).view("V2")
    other = array.copy()
    other[sample_places(SIZE)[3]] = np.uint16(0).tobytes()
    one, two = (summarized(InMemory(each, BFLOAT16)) for each in (array, other))
    assert one.figures.norm == pytest.approx(np.linalg.norm(made()), rel=1e-2)
    found = compare_array("a", two, one, TOLERANCE)
    assert (found.verdict, found.differing) == (Verdict.DRIFT, 1)


def test_figures_that_are_not_known_tell_nothing():
    array, other = made(), made()
    other[UNSEEN] += 0.1
    unknown = [replace(kept(each), figures=Figures()) for each in (other, array)]
    assert compare_array("a", *unknown, TOLERANCE).verdict is Verdict.CLOSE
    huge = kept(np.full(9_000, 1e200))
    assert huge.figures.norm is None
    assert huge.figures.maximum == 1e200
