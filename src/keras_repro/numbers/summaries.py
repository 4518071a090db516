"""What is known of an array that is too large to be kept: digest, figures and a sample.

The recorder makes them (``keras_repro.recorder.summaries``); here they are made of an array that
was kept, to be compared with one that was not. Two arrays all of whose elements are close to each
other have figures within these bounds, of ``obtained`` (o) and ``expected`` (e) of n elements:

extremes
    ``atol + rtol * |extreme of e|``: e + atol + rtol |e| grows with e, where rtol is below 1.
mean
    ``atol + rtol * norm(e) / sqrt(n)``: the mean of |e| is at most its root mean square.
norm
    ``atol * sqrt(n) + rtol * norm(e)``: | norm(o) - norm(e) | is at most norm(o - e).

So a figure beyond its bound tells of an element that is not close, wherever it is. The bounds are a
hundredth wider: the elements themselves are compared in their own precision.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from keras_repro.numbers.differences import BFLOAT16, Array, Tolerance, widened
from keras_repro.recorder.contract import sample_places

BLOCK_BYTES = 1 << 20
WIDER = 1.01
ROUNDING = 1e-12  # of a sum of float64


class Elements(Protocol):
    """An array that is read in blocks; ``name`` is its dtype's."""

    dtype: np.dtype[Any]
    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements."""

    def read(self, start: int, stop: int) -> Array:
        """Return elements in C order, 1-D, native byte order."""


@dataclass(frozen=True)
class Figures:
    """Of the finite elements, in float64; of complex numbers of their moduli. None where unknown.

    ``nonfinite`` is how many others there are.
    """

    nonfinite: int | None = None
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    norm: float | None = None


@dataclass(frozen=True)
class Summary:
    """An array that was not kept. ``sha256`` is of its elements, ``sample`` some of them.

    Which ones, ``keras_repro.recorder.contract.sample_places`` says.
    """

    name: str  # of its dtype
    shape: tuple[int, ...]
    sha256: str
    figures: Figures
    sample: Elements

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype, as NumPy knows it."""
        return self.sample.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


@dataclass
class Picked:
    """The sample of an array, in memory; ``name`` is its dtype's."""

    array: Array
    name: str

    def __post_init__(self) -> None:
        self.dtype = self.array.dtype
        self.shape: tuple[int, ...] = self.array.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.array.size

    def read(self, start: int, stop: int) -> Array:
        """Return some of them."""
        return self.array[start:stop]


def summarized(array: Elements) -> Summary:
    """Return what would be known of an array that was kept, if it had not been."""
    places = np.array(sample_places(array.size), np.int64)
    digest, parts, picked = hashlib.sha256(), list[Figures](), list[Array]()
    step = max(BLOCK_BYTES // array.dtype.itemsize, 1)
    for start in range(0, array.size, step):
        block = array.read(start, min(start + step, array.size))
        digest.update(np.ascontiguousarray(block).view(np.uint8).data)
        parts.append(_of_block(block, array.name))
        first, last = np.searchsorted(places, [start, start + block.size])
        picked.append(block[places[first:last] - start])
    sample = np.concatenate(picked) if picked else np.empty(0, array.dtype)
    figures = _of_all(parts, array.size)
    chosen = Picked(sample, array.name)
    return Summary(array.name, array.shape, digest.hexdigest(), figures, chosen)


def apart(obtained: Summary, expected: Summary, tolerance: Tolerance) -> str:
    """Return the name of a figure that lies further apart than those of close arrays do, or ""."""
    mine, theirs = obtained.figures, expected.figures
    count = math.sqrt(max(expected.size - (theirs.nonfinite or 0), 1))
    norm = theirs.norm
    bounds = {
        "minimum": _bound(theirs.minimum, tolerance),
        "maximum": _bound(theirs.maximum, tolerance),
        "mean": None if norm is None else _bound(norm / count, tolerance, norm / count),
        "norm": None if norm is None else _bound(norm, tolerance, norm, count),
    }
    for name, bound in bounds.items():
        one, other = getattr(mine, name), getattr(theirs, name)
        known = bound is not None and one is not None and other is not None
        if known and abs(one - other) > bound:
            return name
    return ""


def _bound(
    value: float | None, tolerance: Tolerance, summed: float = 0.0, times: float = 1.0
) -> float | None:
    if value is None:
        return None
    wide = tolerance.atol * times + tolerance.rtol * abs(value)
    return WIDER * wide + ROUNDING * summed


def _of_block(block: Array, name: str) -> Figures:
    if block.dtype.kind not in "biufc" and name != BFLOAT16:
        return Figures()
    with np.errstate(all="ignore"):
        known = widened(block) if name == BFLOAT16 else block
        wide = (np.abs(known) if known.dtype.kind == "c" else known).astype(np.float64)
        finite = wide[np.isfinite(wide)]
        if not finite.size:
            return Figures(wide.size)
        return Figures(
            wide.size - finite.size,
            float(finite.sum()),
            float(finite.min()),
            float(finite.max()),
            float(finite.dot(finite)),
        )


def _of_all(parts: list[Figures], size: int) -> Figures:
    """Return the figures of all blocks, each of which has its sum and that of its squares."""
    nonfinite = sum(part.nonfinite or 0 for part in parts)
    some = [part for part in parts if part.mean is not None]
    if any(part.nonfinite is None for part in parts):
        return Figures()
    if not some:
        return Figures(nonfinite)
    mean = sum(part.mean or 0.0 for part in some) / (size - nonfinite)
    squares = sum(part.norm or 0.0 for part in some)
    return Figures(
        nonfinite,
        mean if math.isfinite(mean) else None,
        min(part.minimum or 0.0 for part in some),
        max(part.maximum or 0.0 for part in some),
        math.sqrt(squares) if math.isfinite(squares) else None,
    )
