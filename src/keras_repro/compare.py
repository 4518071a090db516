"""Compare arrays with arrays. Pure: prints nothing, writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Verdict(StrEnum):
    """What a comparison says of an array."""

    IDENTICAL = "identical"  # same bits
    CLOSE = "close"  # within tolerance
    DRIFT = "drift"
    MISSING = "missing"  # only the baseline has it
    UNEXPECTED = "unexpected"  # only the run has it
    SHAPE = "shape"
    DTYPE = "dtype"
    NONFINITE = "nonfinite"  # NaN or infinity on one side only

    @property
    def passes(self) -> bool:
        """Whether the array is as it should be."""
        return self in (Verdict.IDENTICAL, Verdict.CLOSE)


@dataclass(frozen=True)
class Tolerance:
    """Close is ``|obtained - expected| <= atol + rtol * |expected|``, as in numpy.isclose."""

    rtol: float
    atol: float


EXACT = Tolerance(0.0, 0.0)


@dataclass(frozen=True)
class Comparison:
    """What is known of one array's difference. The figures are None where they mean nothing.

    ``max_relative`` is ``|obtained - expected| / |expected|`` where expected is not zero;
    ``max_ulps`` counts the floating-point numbers from one to the other, across zero too
    (https://randomascii.wordpress.com/2012/02/25/comparing-floating-point-numbers-2012-edition/).
    ``first`` and ``worst`` are indices: the first element whose bits differ, and the element
    furthest out of tolerance; ``obtained`` and ``expected`` are the values there.
    """

    name: str
    verdict: Verdict
    tolerance: Tolerance = EXACT
    elements: int = 0
    differing: int = 0
    max_absolute: float | None = None
    max_relative: float | None = None
    max_ulps: int | None = None
    first: tuple[int, ...] | None = None
    worst: tuple[int, ...] | None = None
    obtained: Any = None
    expected: Any = None
    note: str = ""


def compare(
    obtained: Mapping[str, Array],
    expected: Mapping[str, Array],
    tolerance_of: Callable[[str], Tolerance],
) -> list[Comparison]:
    """Return one comparison for each array that either side has, sorted by name."""
    comparisons = []
    for name in sorted({*obtained, *expected}):
        if name not in obtained:
            comparisons.append(Comparison(name, Verdict.MISSING, note="not in the run"))
        elif name not in expected:
            comparisons.append(Comparison(name, Verdict.UNEXPECTED, note="not in the baseline"))
        else:
            comparisons.append(
                compare_array(name, obtained[name], expected[name], tolerance_of(name))
            )
    return comparisons


def compare_array(name: str, obtained: Array, expected: Array, tolerance: Tolerance) -> Comparison:
    """Return the comparison of one array with what it should be."""
    if obtained.shape != expected.shape:
        note = f"obtained {obtained.shape}, expected {expected.shape}"
        return Comparison(name, Verdict.SHAPE, tolerance, obtained.size, note=note)
    if obtained.dtype != expected.dtype:
        note = f"obtained {obtained.dtype}, expected {expected.dtype}"
        return Comparison(name, Verdict.DTYPE, tolerance, obtained.size, note=note)
    differs = _bits_differ(obtained, expected)
    if not differs.any():
        return Comparison(name, Verdict.IDENTICAL, tolerance, obtained.size)
    first = _index(differs)
    figures: dict[str, Any] = {
        "elements": obtained.size,
        "differing": int(differs.sum()),
        "first": first,
    }
    if obtained.dtype.kind not in "fciub":  # strings and the like are the same or not
        figures |= {"worst": first, "obtained": obtained[first], "expected": expected[first]}
        return Comparison(name, Verdict.DRIFT, tolerance, **figures)
    return _compare_numbers(name, obtained, expected, tolerance, figures)


def _compare_numbers(
    name: str, obtained: Array, expected: Array, tolerance: Tolerance, figures: dict[str, Any]
) -> Comparison:
    exact = obtained.dtype.kind in "iub"
    wide = np.complex128 if obtained.dtype.kind == "c" else np.float64
    mine, theirs = obtained.astype(wide), expected.astype(wide)
    bad_kind = _nonfinite_differs(mine, theirs)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        close = (
            obtained == expected
            if exact
            else np.isclose(
                obtained, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True
            )
        )
        absolute = np.nan_to_num(np.abs(mine - theirs), nan=0.0, posinf=np.inf)
        relative = np.where(theirs == 0, 0.0, absolute / np.abs(theirs))
        excess = absolute - tolerance.atol - tolerance.rtol * np.abs(theirs)
    excess = np.where(bad_kind, np.inf, np.nan_to_num(excess, nan=-np.inf, posinf=np.inf))
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), obtained.shape))
    finite = np.isfinite(mine) & np.isfinite(theirs)
    figures |= {
        "max_absolute": float(absolute[finite].max(initial=0.0)),
        "max_relative": float(np.nan_to_num(relative[finite]).max(initial=0.0)),
        "max_ulps": max_ulps(obtained[finite], expected[finite]),
        "worst": worst,
        "obtained": obtained[worst].item(),
        "expected": expected[worst].item(),
    }
    if bad_kind.any():
        verdict = Verdict.NONFINITE
    else:
        verdict = Verdict.CLOSE if bool(close.all()) else Verdict.DRIFT
    return Comparison(name, verdict, tolerance, **figures)


def max_ulps(obtained: Array, expected: Array) -> int | None:
    """Return the largest distance in units in the last place; None for other than floats.

    A float's bits, read as a sign and a magnitude, count the floats from zero.
    """
    if obtained.dtype.kind != "f" or obtained.dtype.itemsize > 8:
        return None
    if obtained.size == 0:
        return 0
    unsigned = np.dtype(f"u{obtained.dtype.itemsize}")
    sign = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    mine = np.ascontiguousarray(obtained).view(unsigned)
    theirs = np.ascontiguousarray(expected).view(unsigned)
    mine_size, their_size = mine & ~sign, theirs & ~sign
    apart = (mine & sign) != (theirs & sign)
    distance = np.where(
        apart,
        mine_size + their_size,  # below 2**64 for float64: each is below 2**63
        np.maximum(mine_size, their_size) - np.minimum(mine_size, their_size),
    )
    return int(distance.max())


def first_nonfinite(array: Array) -> tuple[int, ...] | None:
    """Return the index of the first NaN or infinity, or None."""
    if array.dtype.kind not in "fc":
        return None
    bad = ~np.isfinite(array)
    return _index(bad) if bad.any() else None


def _bits_differ(obtained: Array, expected: Array) -> Array:
    if obtained.dtype.kind in "US":
        return np.asarray(obtained != expected)
    size = obtained.dtype.itemsize
    mine, theirs = (
        np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, size)
        for array in (obtained, expected)
    )
    return np.asarray((mine != theirs).any(axis=1).reshape(obtained.shape))


def _nonfinite_differs(mine: Array, theirs: Array) -> Array:
    """Return where one side is NaN or infinite and the other is not just so."""
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    return np.asarray((~np.isfinite(mine) | ~np.isfinite(theirs)) & ~same)


def _index(mask: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))
