"""A value is told by a digest of its bits, and figures that rounding hardly moves."""

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from keras_repro.recorder.trail.values import Told, told

ANY = arrays_of.arrays(
    some.sampled_from(["float32", "float64", "int64", "uint8", "bool", "complex64"]),
    arrays_of.array_shapes(min_dims=0, max_dims=3, max_side=5),
)


@given(ANY)
def test_the_same_bits_have_the_same_digest_however_they_lie(array):
    digest = told(array)["digest"]
    assert told(array.copy())["digest"] == digest
    if array.ndim:
        assert told(np.asfortranarray(array))["digest"] == digest
        assert told(np.repeat(array, 2, axis=0)[::2])["digest"] == digest
        assert told(array.ravel())["shape"] != told(array)["shape"] or array.ndim == 1


@given(ANY.filter(lambda array: array.size), some.integers(0, 1 << 30))
def test_one_bit_gives_another_digest(array, place):
    changed = np.array(array, order="C")
    flat = changed.reshape(-1).view(np.uint8)
    flat[place % flat.size] ^= 1
    assert told(changed)["digest"] != told(array)["digest"]


@given(arrays_of.arrays("float32", 7, elements=some.floats(-1000, 1000, width=32)))
def test_its_figures(array):
    facts = told(array)
    assert facts["mean"] == pytest.approx(array.astype(float).mean(), rel=1e-8, abs=1e-6)
    assert facts["minimum"] == pytest.approx(array.min(), rel=1e-8)
    assert facts["maximum"] == pytest.approx(array.max(), rel=1e-8)
    assert facts["norm"] == pytest.approx(np.linalg.norm(array.astype(float)), rel=1e-8)


def test_in_blocks_and_in_turn_it_is_the_same(monkeypatch):
    array = np.random.default_rng(0).normal(size=(50, 7)).astype("float32")
    whole = told(array), told(array[:, ::2])
    monkeypatch.setattr("keras_repro.recorder.blocks.BLOCK", 8)
    for expected, obtained in zip(whole, (told(array), told(array[:, ::2])), strict=True):
        for name in ("digest", "dtype", "shape"):
            assert obtained.pop(name) == expected.pop(name)
        assert obtained == pytest.approx(expected, rel=1e-8)
    several = Told()
    several.add(array).add(array)
    assert several.facts()["mean"] == pytest.approx(told(array)["mean"], rel=1e-8)
    assert several.facts()["digest"] != told(array)["digest"]


@pytest.mark.parametrize(
    "array", [np.zeros(0), np.float32(2), 3, True, "text", ["a", "bc"], [b"a"]]
)
def test_what_is_told_of_anything(array):
    facts = told(array)
    assert {"digest", "dtype", "shape"} <= set(facts)
    assert ("mean" in facts) is (np.asarray(array).dtype.kind in "biuf" and np.size(array) > 0)


def test_no_figures_where_none_are_asked_for():
    assert set(told(np.ones(3), figures=False)) == {"digest", "dtype", "shape"}


def test_not_a_number_and_infinities_are_text():
    facts = told(np.array([1, np.nan, np.inf]))
    assert (facts["mean"], facts["minimum"], facts["maximum"]) == ("nan", "nan", "nan")
    assert told(np.array([1, np.inf]))["maximum"] == "inf"


def test_objects_are_refused_but_for_text():
    texts = [told(np.array(each, dtype=object)) for each in (["a", "bc"], ["a", "bc"], ["ab", "c"])]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0]["shape"] == [2]
    with pytest.raises(ValueError, match="Python objects"):
        told(np.array([object()]))
