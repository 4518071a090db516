"""Verdicts, and the figures that go with them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_repro.numbers.comparison import EXACT, Verdict, compare, first_nonfinite
from keras_repro.numbers.comparison import compare_array as compare_sources
from keras_repro.numbers.differences import Tolerance, ulps_apart
from tests.unit.made import InMemory, make_run


def compare_array(name, obtained, expected, tolerance, **options):
    return compare_sources(name, InMemory(obtained), InMemory(expected), tolerance, **options)


FLOATS = st.sampled_from([np.float16, np.float32, np.float64])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)


@st.composite
def pairs(draw):
    dtype, shape = draw(FLOATS), draw(SHAPES)
    elements = hnp.from_dtype(np.dtype(dtype), allow_nan=True, allow_infinity=True)
    first = draw(hnp.arrays(dtype, shape, elements=elements))
    second = first.copy()
    if draw(st.booleans()) and first.size:
        second = draw(hnp.arrays(dtype, shape, elements=elements))
    return first, second


@given(pairs(), st.sampled_from([0.0, 1e-5, 0.1]), st.sampled_from([0.0, 1e-7, 1.0]))
def test_close_is_numpys_isclose(pair, rtol, atol):
    obtained, expected = pair
    verdict = compare_array("a", obtained, expected, Tolerance(rtol, atol)).verdict
    with np.errstate(all="ignore"):
        close = np.isclose(obtained, expected, rtol=rtol, atol=atol, equal_nan=True).all()
    if obtained.tobytes() == expected.tobytes():
        assert verdict is Verdict.IDENTICAL
    else:
        assert (verdict is Verdict.CLOSE) == bool(close)


@given(pairs())
def test_an_array_is_identical_to_itself_and_to_nothing_else(pair):
    obtained, expected = pair
    assert compare_array("a", obtained, obtained.copy(), EXACT).verdict is Verdict.IDENTICAL
    same_bits = obtained.tobytes() == expected.tobytes()
    verdict = compare_array("a", obtained, expected, EXACT).verdict
    assert (verdict is Verdict.IDENTICAL) == same_bits


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(max_dims=2, max_side=5),
        elements=st.floats(-(2.0**99), 2.0**99, width=32),
    ),
    st.data(),
)
def test_one_ulp_in_one_element_is_seen_where_it_is(array, data):
    index = tuple(data.draw(st.integers(0, side - 1)) for side in array.shape)
    changed = array.copy()
    changed[index] = np.nextafter(changed[index], np.float32(np.inf))
    found = compare_array("a", changed, array, EXACT)
    assert found.verdict is Verdict.DRIFT
    assert (found.differing, found.first, found.worst, found.max_ulps) == (1, index, index, 1)
    assert found.obtained == changed[index]
    assert found.expected == array[index]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ulps_count_the_floats_between(dtype):
    one, zero = dtype(1), dtype(0)
    tiny = np.nextafter(zero, one)
    cases = [
        (one, np.nextafter(one, dtype(2)), 1),
        (tiny, -tiny, 2),  # across zero
        (zero, -zero, 0),
        (dtype(2), one, 2 ** np.finfo(dtype).nmant),
        (np.finfo(dtype).max, np.finfo(dtype).min, None),
    ]
    for first, second, expected in cases:
        name = np.dtype(dtype).name
        distance = int(ulps_apart(np.array([first]), np.array([second]), name)[0])
        assert distance == expected or (expected is None and distance > 2**14)


def test_signed_zeros_differ_in_bits_and_are_close():
    assert compare_array("a", np.array([0.0]), np.array([-0.0]), EXACT).verdict is Verdict.CLOSE


@pytest.mark.parametrize(
    ("obtained", "expected", "verdict"),
    [
        ([1.0, np.nan], [1.0, np.nan], Verdict.IDENTICAL),
        ([1.0, np.nan], [1.0, 2.0], Verdict.NONFINITE),
        ([1.0, np.inf], [1.0, -np.inf], Verdict.NONFINITE),
        ([1.0, np.inf], [1.0, np.nan], Verdict.NONFINITE),
        ([2.0, np.inf], [1.0, np.inf], Verdict.DRIFT),
    ],
)
def test_nan_and_infinity(obtained, expected, verdict):
    found = compare_array("a", np.array(obtained), np.array(expected), Tolerance(1e-5, 0.0))
    assert found.verdict is verdict


def test_differences_of_kind():
    a = np.zeros((2, 3), np.float32)
    cases = {
        "shape": (a, a.T),
        "dtype": (a, a.astype(np.float64)),
        "drift": (np.array([1, 2]), np.array([1, 3])),
        "identical": (np.array(["a"]), np.array(["a"])),
    }
    for verdict, (obtained, expected) in cases.items():
        assert compare_array("a", obtained, expected, Tolerance(9, 9)).verdict == verdict


def test_integers_are_exact_whatever_the_tolerance():
    found = compare_array("a", np.array([5]), np.array([6]), Tolerance(1.0, 1.0))
    assert found.verdict is Verdict.DRIFT


def test_a_swapped_pair_is_seen():
    array = np.arange(6.0)
    swapped = array[[0, 1, 3, 2, 4, 5]]
    found = compare_array("a", swapped, array, Tolerance(1e-5, 0.0))
    assert (found.verdict, found.differing, found.first) == (Verdict.DRIFT, 2, (2,))


def test_worst_is_the_one_furthest_out_of_tolerance():
    expected = np.array([1000.0, 1.0])
    obtained = np.array([1000.5, 1.4])  # a larger difference, and a worse one
    found = compare_array("a", obtained, expected, Tolerance(1e-3, 0.0))
    assert found.worst == (1,)
    assert found.max_absolute == 0.5
    assert found.max_relative == pytest.approx(0.4)


def test_only_one_side_has_it():
    a = InMemory(np.zeros(1))
    found = compare({"both": a, "new": a}, {"both": a, "old": a}, lambda name: EXACT)
    assert [(c.name, c.verdict) for c in found] == [
        ("both", Verdict.IDENTICAL),
        ("new", Verdict.UNEXPECTED),
        ("old", Verdict.MISSING),
    ]


def test_first_nonfinite():
    assert first_nonfinite(InMemory(np.array([1.0, np.inf, np.nan]))) == (1,)
    assert first_nonfinite(InMemory(np.array([1.0]))) is None
    assert first_nonfinite(InMemory(np.array([1]))) is None


SPIED = """
import sys
from pathlib import Path
seen = set()
sys.addaudithook(lambda event, arguments: seen.add(arguments[1]) if event == "ctypes.dlsym" else 0)
from keras_repro.studies.compare_folders import compare_folders
[found] = compare_folders(Path(sys.argv[1]), Path(sys.argv[2])).comparisons
print(found.differing, "mallopt" in seen)
"""


def test_comparing_leaves_the_settings_of_malloc_alone(tmp_path):
    """They are the whole process's: a user's pytest, say."""
    values = np.zeros(1_000_000, np.float32)
    first = make_run(tmp_path / "a", {"weights/0": values})
    second = make_run(tmp_path / "b", {"weights/0": values + 1})
    command = [sys.executable, "-c", SPIED, str(first), str(second)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "1000000 False\n", done.stderr
