"""The figures of a comparison, against NumPy, pytest-regressions and a count of one's own."""

import itertools
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_repro.numbers.comparison import EXACT, Verdict, compare_array
from keras_repro.numbers.differences import Tolerance, difference, merge, ulps_apart, widened
from tests.conftest import AS_DARWIN
from tests.unit.made import InMemory

FORMATS = {"float16": np.uint16, "bfloat16": np.uint16, "float32": np.uint32, "float64": np.uint64}
PAIRS = 10_000


def random_pair(generator, name):
    """Return two arrays of random bits, most of the second's a few steps from the first's."""
    pattern = FORMATS[name]
    bits = np.iinfo(pattern).bits
    size = int(generator.integers(1, 12))
    first = generator.integers(0, 2**bits - 1, size, dtype=pattern, endpoint=True)
    steps = generator.integers(0, 2 ** generator.integers(1, bits - 1), size).astype(pattern)
    second = np.where(generator.random(size) < 0.8, first + steps, first ^ pattern(1 << (bits - 1)))
    some = generator.random(size) < 0.2  # zeros, subnormals, infinities, NaN
    special = generator.choice(np.array([0, 1, 2, 3], pattern), size)
    special ^= (generator.integers(0, 2, size) << (bits - 1)).astype(pattern)
    second = np.where(some, special, second.astype(pattern))
    if name == "bfloat16":
        return first.view("V2"), second.view("V2")
    return first.view(name), second.view(name)


def numbers(array, name):
    return widened(array) if name == "bfloat16" else array


def count_from_zero(element: bytes) -> int:
    """Return the place of a float among all floats, zero's being 0, from its bytes."""
    bits = int.from_bytes(element, "little")
    sign = 1 << (8 * len(element) - 1)
    return -(bits - sign) if bits & sign else bits


def ulps_one_by_one(first, second, finite) -> int:
    distances = [
        abs(count_from_zero(a.tobytes()) - count_from_zero(b.tobytes()))
        for a, b, is_finite in zip(first, second, finite, strict=True)
        if is_finite
    ]
    return max(distances, default=0)


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_random_pairs_agree_with_isclose_and_with_a_count_of_ulps(name):
    generator = np.random.default_rng(137)
    seen = set()
    for _ in range(PAIRS // len(FORMATS)):
        obtained, expected = random_pair(generator, name)
        tolerance = Tolerance(
            float(generator.choice([0, 1e-7, 1e-5, 1e-2, 0.5])),
            float(generator.choice([0, 1e-30, 1e-7, 1.0])),
        )
        found = compare_array("a", InMemory(obtained, name), InMemory(expected, name), tolerance)
        mine, theirs = numbers(obtained, name), numbers(expected, name)
        with np.errstate(all="ignore"):
            close = np.isclose(
                mine, theirs, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True
            )
        finite = np.isfinite(mine) & np.isfinite(theirs)
        bad_kind = ~finite & ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
        same_bits = obtained.tobytes() == expected.tobytes()
        assert found.outside == np.count_nonzero(~close)
        assert found.first_outside == ((int(np.argmin(close)),) if not close.all() else None)
        assert (found.verdict is Verdict.IDENTICAL) == same_bits
        assert (found.verdict is Verdict.NONFINITE) == bool(bad_kind.any())
        assert found.verdict.passes == bool(close.all())
        assert (found.max_ulps or 0) == ulps_one_by_one(obtained, expected, finite)
        seen.add(found.verdict)
    assert seen == {Verdict.IDENTICAL, Verdict.CLOSE, Verdict.DRIFT, Verdict.NONFINITE}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([np.float16, np.float32, np.float64]).flatmap(
        lambda dtype: st.tuples(
            *[hnp.arrays(dtype, 4, elements=hnp.from_dtype(np.dtype(dtype)))] * 2, st.integers(0, 4)
        )
    ),
    st.sampled_from([0.0, 1e-5, 0.1]),
    st.sampled_from([0.0, 1e-7, 1.0]),
)
def test_what_passes_here_passes_pytest_regressions(
    ndarrays_regression, tmp_path, arrays, rtol, atol
):
    obtained, expected, equal = arrays
    obtained[:equal] = expected[:equal]
    np.savez_compressed(tmp_path / "e.npz", a=expected)
    try:
        with np.errstate(all="ignore"):
            ndarrays_regression.check(
                {"a": obtained},
                fullpath=tmp_path / "e.npz",
                default_tolerance={"rtol": rtol, "atol": atol},
            )
    except AssertionError:
        theirs = False
    else:
        theirs = True
    mine = compare_array("a", InMemory(obtained), InMemory(expected), Tolerance(rtol, atol))
    assert mine.verdict.passes == theirs


@given(
    st.sampled_from(["float16", "float32", "float64", "int8", "uint64", "bool", "complex64", "U3"])
    .map(np.dtype)
    .flatmap(
        lambda dtype: st.tuples(
            hnp.arrays(dtype, 12), hnp.arrays(dtype, 12), hnp.arrays(np.bool_, 12)
        )
    ),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_blocks_make_the_figures_of_the_whole(arrays, cuts):
    obtained, expected, equal = arrays
    obtained[equal] = expected[equal]
    name, tolerance = obtained.dtype.name, Tolerance(1e-3, 1e-6)
    edges = [0, *sorted(cuts), 12]
    parts = [
        difference(obtained[a:b], expected[a:b], name, tolerance, a)
        for a, b in itertools.pairwise(edges)
    ]
    whole = difference(obtained, expected, name, tolerance)
    assert repr(merge(parts)) == repr(merge([whole]))  # by repr, for NaN equals itself there


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64, np.bool_])
def test_integers_and_booleans_are_exact_over_their_whole_range(dtype):
    if dtype is np.bool_:
        least, most, distance = False, True, 1
    else:
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        distance = int(most) - int(least)
    found = compare_array(
        "a", InMemory(np.array([most, least], dtype)), InMemory(np.array([least] * 2, dtype)), EXACT
    )
    assert (found.verdict, found.outside, found.max_absolute) == (Verdict.DRIFT, 1, distance)
    assert found.max_ulps is None
    assert found.max_relative is None
    large = np.array([2**60, 2**60 + 1]).astype(np.int64)  # the same number as float64
    found = compare_array("a", InMemory(large[:1]), InMemory(large[1:]), Tolerance(1.0, 1.0))
    assert (found.verdict, found.max_absolute) == (Verdict.DRIFT, 1)


def test_complex_numbers_are_compared_by_parts_and_by_modulus():
    expected = np.array([1 + 1j, 0j, -0.0 + 0j], np.complex64)
    obtained = expected.copy()
    obtained[0] = complex(1, np.nextafter(np.float32(1), np.float32(2)))
    obtained[1] = 3 + 4j
    found = compare_array("a", InMemory(obtained), InMemory(expected), Tolerance(1e-5, 0))
    assert found.max_absolute == 5.0
    assert found.max_ulps == count_from_zero(struct.pack("<f", 4.0))
    assert (found.differing, found.outside, found.first, found.worst) == (2, 1, (0,), (1,))
    turned = np.array([complex(-0.0, 0.0)], np.complex64)
    found = compare_array("a", InMemory(turned), InMemory(np.zeros(1, np.complex64)), EXACT)
    assert (found.verdict, found.max_ulps) == (Verdict.CLOSE, 0)


def test_bfloat16_counts_its_own_ulps():
    one, next_one = 0x3F80, 0x3F81
    obtained, expected = (np.array([bits], np.uint16).view("V2") for bits in (next_one, one))
    found = compare_array(
        "a", InMemory(obtained, "bfloat16"), InMemory(expected, "bfloat16"), EXACT
    )
    assert (found.max_ulps, found.obtained, found.expected) == (1, 1.0078125, 1.0)


def test_a_longdouble_is_compared_by_value_for_its_padding_is_anything():
    first = np.array([1, 2], np.longdouble)
    second = first.copy()
    second.view(np.uint8)[first.itemsize - 1] = 77
    assert compare_array("a", InMemory(first), InMemory(second), EXACT).verdict is Verdict.IDENTICAL
    second[1] = np.nextafter(second[1], np.longdouble(3))
    found = compare_array("a", InMemory(second), InMemory(first), EXACT)
    assert (found.verdict, found.differing, found.max_ulps) == (Verdict.DRIFT, 1, None)


def test_numbers_that_are_no_floats_of_a_kind_known_here_are_the_same_or_not():
    first, second = (np.array([1, bits], np.uint8).view("V1") for bits in (2, 3))
    found = compare_array(
        "a", InMemory(first, "float8_e4m3"), InMemory(second, "float8_e4m3"), EXACT
    )
    assert (found.verdict, found.first, found.max_absolute) == (Verdict.DRIFT, (1,), None)
    broken = np.array([0xFFFFFFFF], np.uint32).view("U1")  # no character
    found = compare_array("a", InMemory(broken), InMemory(np.array(["a"])), EXACT)
    assert (found.verdict, found.expected) == (Verdict.DRIFT, "a")


MUTATIONS = {
    "one ulp in one element": lambda a: _set(a, 5, np.nextafter(a[5], np.float32(9))),
    "a sign of zero": lambda a: _set(a, 0, -a[0]),
    "a swapped pair": lambda a: a[[0, 1, 3, 2, 4, 5, 6, 7]],
    "reversed": lambda a: a[::-1],
    "another dtype": lambda a: a.astype(np.float64),
    "another byte order": lambda a: a.astype(">f4"),
    "another shape": lambda a: a.reshape(2, 4),
    "one more": lambda a: np.append(a, np.float32(0)),
    "one less": lambda a: a[:-1],
    "a NaN": lambda a: _set(a, 7, np.float32(np.nan)),
    "the bits of another type": lambda a: a.view(np.int32),
}


def _set(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_planted_difference_is_seen_in_the_files(tmp_path, name, keras_repro):
    from tests.unit.made import make_run

    array = np.arange(8, dtype=np.float32)
    make_run(tmp_path / "a", {"weights/0": array})
    make_run(tmp_path / "b", {"weights/0": np.ascontiguousarray(MUTATIONS[name](array))})
    done = keras_repro("compare", "a", "b", "--format", "json", "--rtol", "0", "--atol", "0")
    [found] = json.loads(done.stdout)["arrays"]
    assert found["verdict"] != "identical"
    assert done.returncode == (0 if name == "a sign of zero" else 1)


def test_the_same_numbers_in_another_memory_order_are_the_same_numbers(tmp_path, keras_repro):
    from keras_repro.recorder.facts import file_sha256
    from tests.unit.made import change_facts, make_run

    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for folder, other in (
        ("a", array),
        ("b", np.asfortranarray(array)),
        ("c", array.T.reshape(2, 3)),
    ):
        make_run(tmp_path / folder, {"weights/0": array})
        np.savez(tmp_path / folder / "arrays.npz", **{"weights/0": other})
        change_facts(
            tmp_path / folder, arrays_sha256=file_sha256(str(tmp_path / folder / "arrays.npz"))
        )
    assert "identical" in keras_repro("compare", "a", "b").stdout
    assert keras_repro("compare", "a", "c").returncode == 1


def test_ulps_of_the_whole_range_fit():
    for name in ("float16", "float32", "float64"):
        most = np.array([np.finfo(name).max])
        distance = ulps_apart(most, -most, name)[0]
        assert int(distance) == 2 * count_from_zero(most[0].tobytes())


PEAK = """
import sys
from pathlib import Path
from keras_repro.numbers.comparison import compare
from keras_repro.numbers.differences import Tolerance
from keras_repro.runs.npz import Npz
from tests.unit.made import make_run
def peak():  # not ru_maxrss, which begins with what the parent process had
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1])
before = peak()
[found] = compare(Npz(Path(sys.argv[1])), Npz(Path(sys.argv[2])), lambda name: Tolerance(0, 0))
print(found.verdict, found.differing)
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(AS_DARWIN, reason="the test itself reads /proc")
@pytest.mark.long
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_memory_does_not_grow_with_the_arrays(tmp_path, share):
    """Two files of 200 MB each, and the comparison takes a small part of that."""
    array = np.zeros(50_000_000, np.float32)
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", a=array)
        array[: int(share * array.size)] += 1
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "a.npz", tmp_path / "b.npz"],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    verdict, peak = done.stdout.splitlines()
    assert verdict == ("drift 50000000" if share else "identical 0")
    assert int(peak) < 100
