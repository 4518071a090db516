"""How far apart the elements of two arrays are. Pure, and block by block.

Every figure of a whole array is made from those of its blocks by ``merge``, so the memory
needed does not grow with the arrays. The figures, of ``obtained`` (o) against ``expected`` (e):

differing
    Elements whose bits differ: -0.0 differs from 0.0, and a NaN from a NaN of another payload.
first
    Of those, the first in C order (the last index varies fastest).
outside, first_outside
    Elements that are not close, and the first of them. Close is ``numpy.isclose(o, e, rtol,
    atol, equal_nan=True)``, computed in the arrays' own precision as NumPy does: ``|o - e| <=
    atol + rtol * |e|`` (https://numpy.org/doc/stable/reference/generated/numpy.isclose.html);
    bfloat16, which NumPy does not know, as the float32 it is the upper half of. Integers,
    booleans and everything else are close where they are equal.
nonfinite
    Whether somewhere one side is NaN or infinite and the other is not just so. A NaN equals a
    NaN, and an infinity the infinity of its sign.
max_absolute, max_relative
    The largest ``|o - e|``, and the largest ``|o - e| / |e|`` where e is not 0, over elements
    finite on both sides, computed in float64; of complex numbers the modulus; of integers
    exactly, without the relative one.
max_ulps
    The most floating-point numbers that one passes on the way from o to e, over finite elements:
    the bits below the sign, read as an integer, count the numbers from zero (IEEE 754-2019, 3.4),
    so the distance is the difference of those counts, or their sum where the signs differ. Hence
    it is right across zero and for subnormals, and from -0.0 to 0.0 it is 0. Of complex numbers
    the larger of the parts'. After Bruce Dawson, "Comparing Floating Point Numbers, 2012
    Edition", https://randomascii.wordpress.com/2012/02/25/.
worst
    The element furthest outside: with the largest ``|o - e| - (atol + rtol * |e|)`` in float64,
    a difference of ``nonfinite`` before all others; the first of equals. Of integers and booleans
    the largest ``|o - e|``, since they have no tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BFLOAT16 = "bfloat16"
# Formats whose bits, below the sign, count the floating-point numbers from zero.
PATTERNS: dict[str, np.dtype[Any]] = {
    "float16": np.dtype(np.uint16),
    BFLOAT16: np.dtype(np.uint16),
    "float32": np.dtype(np.uint32),
    "float64": np.dtype(np.uint64),
}
SPARSE = 0.25  # below this share, it pays to gather the elements that differ
LONGEST_TEXT = 80  # characters of a value that is no number
PART_OF_COMPLEX = {"complex64": "float32", "complex128": "float64"}


@dataclass(frozen=True)
class Tolerance:
    """Close is ``|obtained - expected| <= atol + rtol * |expected|``, as in numpy.isclose."""

    rtol: float
    atol: float


class Scratch:
    """Arrays for the work on a block, which the next block uses again.

    Memory that is given back and asked for anew the system clears each time: that would be half
    of the time of a comparison in which all differs. One thread's alone.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, np.dtype[Any]], Array] = {}

    def array(self, purpose: str, size: int, dtype: Any) -> Array:
        """Return a 1-D array of that size, of any contents; another purpose has another array."""
        key = purpose, np.dtype(dtype)
        kept = self._kept.get(key)
        if kept is None or kept.size < size:
            kept = self._kept[key] = np.empty(size, dtype)
        return kept[:size]

    def like(self, purpose: str, array: Array) -> Array:
        """Return a 1-D array of the size and the dtype of another."""
        return self.array(purpose, array.size, array.dtype)


@dataclass(frozen=True)
class Element:
    """One element: its place in C order, the values there, and how far outside it is."""

    place: int
    obtained: Any
    expected: Any
    excess: float = 0.0


@dataclass(frozen=True)
class Difference:
    """The figures over a range of elements, as this module's docstring defines them.

    None is what means nothing: a relative difference of integers, ulps of strings.
    """

    differing: int = 0
    outside: int = 0
    nonfinite: bool = False
    first: int | None = None
    first_outside: int | None = None
    max_absolute: float | None = None
    max_relative: float | None = None
    max_ulps: int | None = None
    worst: Element | None = None


def difference(
    obtained: Array,
    expected: Array,
    name: str,
    tolerance: Tolerance,
    offset: int = 0,
    scratch: Scratch | None = None,
) -> Difference:
    """Return the figures of two blocks, 1-D, of one dtype and length, native byte order.

    ``name`` is the dtype's, which NumPy cannot tell where it is ``bfloat16``, kept as two bytes
    an element. ``offset`` is the place of the block's first element in the array. ``scratch`` is
    what the blocks before were worked on in.
    """
    scratch = scratch or Scratch()
    differs = _bits_differ(obtained, expected, scratch)
    count = int(np.count_nonzero(differs))
    if count == 0:
        return Difference()
    first = offset + int(np.argmax(differs))
    places = None
    if count < differs.size * SPARSE or not _is_number(obtained, name):
        places = np.flatnonzero(differs)
        obtained, expected = obtained[places], expected[places]
    figures = _figures(obtained, expected, name, tolerance, scratch)
    excess = figures.excess
    if places is None and count < differs.size:
        excess = excess.astype(np.float64, copy=False)
        np.copyto(excess, -np.inf, where=~differs)

    def place(index: Any) -> int:
        return offset + int(index if places is None else places[index])

    outside = figures.close.size - int(np.count_nonzero(figures.close))
    worst = int(np.argmax(excess))
    return Difference(
        differing=count,
        outside=outside,
        nonfinite=figures.nonfinite,
        first=first,
        first_outside=place(np.argmin(figures.close)) if outside else None,
        max_absolute=figures.max_absolute,
        max_relative=figures.max_relative,
        max_ulps=figures.max_ulps,
        worst=Element(
            place(worst),
            _value(obtained, worst, name),
            _value(expected, worst, name),
            float(excess[worst]),
        ),
    )


def merge(parts: Sequence[Difference]) -> Difference:
    """Return the figures of the whole from those of its blocks, given in order."""
    worst = None
    for part in parts:
        if part.worst and (worst is None or part.worst.excess > worst.excess):
            worst = part.worst
    return Difference(
        differing=sum(part.differing for part in parts),
        outside=sum(part.outside for part in parts),
        nonfinite=any(part.nonfinite for part in parts),
        first=_first(part.first for part in parts),
        first_outside=_first(part.first_outside for part in parts),
        max_absolute=_largest(part.max_absolute for part in parts),
        max_relative=_largest(part.max_relative for part in parts),
        max_ulps=_largest(part.max_ulps for part in parts),
        worst=worst,
    )


def ulps_apart(
    obtained: Array, expected: Array, name: str, scratch: Scratch | None = None
) -> Array:
    """Return the distance of each element in units in the last place, as unsigned integers.

    ``name`` is one of ``PATTERNS``. Distances of NaN and infinities mean nothing.
    """
    scratch, pattern = scratch or Scratch(), PATTERNS[name]
    mine, theirs = obtained.view(pattern), expected.view(pattern)
    magnitude: Any = pattern.type(2 ** (8 * pattern.itemsize - 1) - 1)
    signed = np.dtype(f"i{pattern.itemsize}")
    distance = np.subtract(mine, theirs, out=scratch.like("distance", mine))
    distance = distance.view(signed)  # of one sign, the counts' difference fits
    np.abs(distance, out=distance)
    distance = distance.view(pattern)
    signs = np.bitwise_xor(mine, theirs, out=scratch.like("signs", mine)).view(signed)
    if signs.min(initial=0) < 0:
        # Each count is below half of the pattern's range, so their sum fits.
        apart = signs < 0
        distance[apart] = (mine[apart] & magnitude) + (theirs[apart] & magnitude)
    return np.asarray(distance)


def widened(array: Array) -> Array:
    """Return bfloat16, kept as two bytes each, as the float32 it is the upper half of.

    https://en.wikipedia.org/wiki/Bfloat16_floating-point_format. No bit is lost.
    """
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))


@dataclass(frozen=True)
class _Figures:
    close: Array
    excess: Array
    nonfinite: bool = False
    max_absolute: float | None = None
    max_relative: float | None = None
    max_ulps: int | None = None


def _is_number(array: Array, name: str) -> bool:
    return name == BFLOAT16 or array.dtype.kind in "iubfc"


def _figures(
    obtained: Array, expected: Array, name: str, tolerance: Tolerance, scratch: Scratch
) -> _Figures:
    if not _is_number(obtained, name):
        none = np.zeros(obtained.size, bool)  # strings and the like are the same or not
        return _Figures(close=none, excess=none)
    if obtained.dtype.kind in "iub":
        return _integer_figures(obtained, expected)
    return _float_figures(obtained, expected, name, tolerance, scratch)


def _integer_figures(obtained: Array, expected: Array) -> _Figures:
    unsigned = np.dtype(f"u{obtained.dtype.itemsize}")
    mine, theirs = obtained.view(unsigned), expected.view(unsigned)
    # Unsigned subtraction wraps, so the difference is exact also across the whole range.
    apart = np.where(obtained > expected, mine - theirs, theirs - mine)
    return _Figures(close=apart == 0, excess=apart, max_absolute=int(apart.max()))


def _float_figures(
    obtained: Array, expected: Array, name: str, tolerance: Tolerance, scratch: Scratch
) -> _Figures:
    ulps = _ulps(obtained, expected, name, scratch)
    if name == BFLOAT16:
        obtained, expected = widened(obtained), widened(expected)
    bad_kind = None
    with np.errstate(all="ignore"):
        absolute, size = _apart(obtained, expected, scratch)
        if np.isfinite(absolute.max()):
            close = _finite_close(obtained, expected, tolerance, scratch)
        else:
            close = _isclose(obtained, expected, tolerance)
            finite = np.isfinite(obtained) & np.isfinite(expected)
            both_nan = np.isnan(obtained) & np.isnan(expected)
            bad_kind = ~finite & (obtained != expected) & ~both_nan
            absolute[~finite] = size[~finite] = 0.0
            ulps = None if ulps is None else ulps[finite]
        # In place, for what fits the processor's cache is done in a third of the time.
        excess = np.multiply(size, tolerance.rtol, out=scratch.like("excess", size))
        excess += tolerance.atol
        np.subtract(absolute, excess, out=excess)
        if bad_kind is not None:
            excess[np.isnan(excess)] = -np.inf  # an infinite tolerance
            excess[bad_kind] = np.inf
        zero = size == 0 if size.min() == 0 else None
        relative = np.divide(absolute, size, out=size)
        if zero is not None:
            relative[zero] = 0.0
    return _Figures(
        close=close,
        excess=excess,
        nonfinite=bad_kind is not None and bool(bad_kind.any()),
        max_absolute=float(absolute.max()),
        max_relative=float(relative.max()),
        max_ulps=None if ulps is None else int(ulps.max(initial=0)),
    )


def _apart(obtained: Array, expected: Array, scratch: Scratch) -> tuple[Array, Array]:
    """Return ``|obtained - expected|`` and ``|expected|``, at least in float64."""
    wide = np.result_type(obtained.dtype, np.float64)
    apart = scratch.array("apart", obtained.size, wide)
    size = scratch.array("size", obtained.size, wide)
    apart[:], size[:] = obtained, expected
    apart -= size
    if wide.kind == "c":
        return np.abs(apart), np.abs(size)
    return np.abs(apart, out=apart), np.abs(size, out=size)


def _isclose(obtained: Array, expected: Array, tolerance: Tolerance) -> Array:
    rtol, atol = tolerance.rtol, tolerance.atol
    return np.asarray(np.isclose(obtained, expected, rtol=rtol, atol=atol, equal_nan=True))


def _finite_close(
    obtained: Array, expected: Array, tolerance: Tolerance, scratch: Scratch
) -> Array:
    """Return ``numpy.isclose`` where the differences are finite: the same sum, half the work."""
    if expected.dtype.kind == "c":
        return _isclose(obtained, expected, tolerance)
    bound = np.abs(expected, out=scratch.like("bound", expected))
    bound *= tolerance.rtol
    bound += tolerance.atol
    if not np.isfinite(bound.max()):  # where both sides are equal, they are close all the same
        return _isclose(obtained, expected, tolerance)
    apart = np.subtract(obtained, expected, out=scratch.like("narrow", expected))
    np.abs(apart, out=apart)
    return np.less_equal(apart, bound, out=scratch.array("close", apart.size, bool))


def _ulps(obtained: Array, expected: Array, name: str, scratch: Scratch) -> Array | None:
    if name in PATTERNS:
        return ulps_apart(obtained, expected, name, scratch)
    if name in PART_OF_COMPLEX:
        part = PART_OF_COMPLEX[name]
        parts = ulps_apart(obtained.view(part), expected.view(part), part)
        return np.asarray(parts.reshape(-1, 2).max(axis=1))
    return None  # a longdouble's bits are the machine's own matter


def _bits_differ(obtained: Array, expected: Array, scratch: Scratch) -> Array:
    size = obtained.dtype.itemsize
    if obtained.dtype.char in "gG":  # a longdouble is padded with whatever was there
        mine, theirs = (block.view(np.longdouble) for block in (obtained, expected))
        same = (mine == theirs) & (np.signbit(mine) == np.signbit(theirs))
        same |= np.isnan(mine) & np.isnan(theirs)
        return np.asarray(~same.reshape(obtained.size, -1).all(axis=1))
    if size in (1, 2, 4, 8):
        unsigned = f"u{size}"
        mine, theirs = obtained.view(unsigned), expected.view(unsigned)
        return np.not_equal(mine, theirs, out=scratch.array("differs", mine.size, bool))
    bytewise = [block.view(np.uint8).reshape(-1, size) for block in (obtained, expected)]
    return np.asarray((bytewise[0] != bytewise[1]).any(axis=1))


def _value(block: Array, index: int, name: str) -> Any:
    """Return an element as Python's own number; what is no number as a short text."""
    if _is_number(block, name):
        return (widened(block) if name == BFLOAT16 else block)[index].item()
    if block.dtype.kind == "U":  # four bytes a character, and some may be none
        text = block[index : index + 1].tobytes().decode("utf-32", "backslashreplace").rstrip("\0")
    else:
        text = str(block[index])
    return text[:LONGEST_TEXT].encode(errors="backslashreplace").decode()


def _first(places: Any) -> int | None:
    return next((place for place in places if place is not None), None)


def _largest(figures: Any) -> Any:
    return max((figure for figure in figures if figure is not None), default=None)
