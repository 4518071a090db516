"""Tell an array by a digest and a few figures: nobody can make the array of them again."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Dict, Iterable, Optional, Tuple

import numpy

from keras_repro.recorder.blocks import as_bytes, blocks, is_number

DIGEST_BYTES = 8


class Told:
    """What is told of one value, or of several that came one after the other.

    ``figures`` says whether its mean, extremes and norm are told too.
    """

    def __init__(self, figures: bool = True) -> None:
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self._figures = figures
        self._dtype: Optional[str] = None
        self._shape: Any = None
        self._count, self._sum, self._squares = 0, 0.0, 0.0
        self._minimum, self._maximum = math.inf, -math.inf

    def add(self, array: Any) -> Told:
        """Take an array in. Raises ValueError where it holds Python objects that are no text."""
        array = numpy.asarray(array)
        if array.dtype.hasobject:
            return self._add_text(array)
        return self.add_blocks(array.dtype, array.shape, blocks(array))

    def add_blocks(self, dtype: Any, shape: Tuple[int, ...], parts: Iterable[Any]) -> Told:
        """Take an array of numbers in, whose elements come in C order, in contiguous parts."""
        self._hash.update(("%s %s;" % (dtype.name, shape)).encode())
        self._dtype, self._shape = dtype.name, list(shape)
        for block in parts:
            self._hash.update(as_bytes(block))
            if self._figures and block.size and is_number(dtype):
                self._look_at(block)
        return self

    def facts(self) -> Dict[str, Any]:
        """Return all of it, for JSON: dtype and shape are the last one's."""
        facts = {"digest": self._hash.hexdigest(), "dtype": self._dtype, "shape": self._shape}
        if self._count:
            facts.update(
                mean=number(self._sum / self._count),
                minimum=number(self._minimum),
                maximum=number(self._maximum),
                norm=number(math.sqrt(self._squares) if self._squares >= 0 else math.nan),
            )
        return facts

    def _add_text(self, array: Any) -> Told:
        """Take text in, each for itself: an array of it would be as wide as the longest."""
        if not all(isinstance(each, (str, bytes)) for each in array.flat):
            raise ValueError("it holds Python objects")
        self._hash.update(("text %s;" % (array.shape,)).encode())
        for each in array.flat:
            text = each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each
            self._hash.update(b"%d:" % len(text) + text)
        self._dtype, self._shape = "text", list(array.shape)
        return self

    def _look_at(self, block: Any) -> None:
        wide = numpy.abs(block) if block.dtype.kind == "c" else block
        with numpy.errstate(all="ignore"):
            wide = wide.astype(numpy.float64)
            self._sum += float(wide.sum())
            self._squares += float(wide.dot(wide))
            self._minimum = _extreme(min, self._minimum, float(wide.min()))
            self._maximum = _extreme(max, self._maximum, float(wide.max()))
        self._count += block.size


def told(array: Any, figures: bool = True) -> Dict[str, Any]:
    """Return what is told of one array. Raises ValueError where it holds Python objects."""
    return Told(figures).add(array).facts()


def number(value: float) -> Any:
    """Return a figure as JSON has it, of nine digits: NaN and infinities are text there."""
    return float("%.9g" % value) if math.isfinite(value) else str(value)


def _extreme(which: Any, before: float, now: float) -> float:
    return math.nan if math.isnan(now) or math.isnan(before) else which(before, now)
