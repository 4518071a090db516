"""Tell a large array by its digest, a few figures and a sample, so that it need not be kept.

The outside computes the same of an array that was kept: keras_repro.numbers.summaries.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Dict, Iterable, List, Tuple

import numpy

from keras_repro.recorder.blocks import as_bytes, is_number
from keras_repro.recorder.contract import count_of, sample_places


def summary_of(
    dtype: Any, shape: Tuple[int, ...], blocks: Iterable[Any]
) -> Tuple[Dict[str, Any], Any]:
    """Return what is told of an array, for JSON, and its sample, 1-D.

    ``blocks`` are its elements in C order, as ``blocks`` of this package yields them. ``sha256`` is
    of the bytes in that order, least significant first. The figures are of the finite elements, in
    float64; of complex numbers their moduli; ``nonfinite`` counts the others. A figure is None
    where there is none.
    """
    native = dtype if dtype.isnative else dtype.newbyteorder("=")
    places = numpy.array(sample_places(count_of(shape)), numpy.int64)
    digest, figures = hashlib.sha256(), _Figures(native)
    picked: List[Any] = []
    start = 0
    for part in blocks:
        block = part.astype(native, copy=False)
        digest.update(as_bytes(block))
        figures.add(block)
        first, last = numpy.searchsorted(places, [start, start + block.size])
        picked.append(block[places[first:last] - start])  # a copy
        start += block.size
    sample = numpy.concatenate(picked) if picked else numpy.empty(0, native)
    facts = {"dtype": dtype.name, "shape": list(shape), "sha256": digest.hexdigest()}
    return dict(facts, **figures.facts()), sample


class _Figures:
    """The figures of what was added so far."""

    def __init__(self, dtype: Any) -> None:
        self._told = is_number(dtype)
        self._count, self._nonfinite, self._sum, self._squares = 0, 0, 0.0, 0.0
        self._minimum, self._maximum = math.inf, -math.inf

    def add(self, block: Any) -> None:
        if not self._told or not block.size:
            return
        with numpy.errstate(all="ignore"):
            wide = numpy.abs(block) if block.dtype.kind == "c" else block
            wide = wide.astype(numpy.float64)
            finite = numpy.isfinite(wide)
            if not finite.all():
                self._nonfinite += int(wide.size - numpy.count_nonzero(finite))
                wide = wide[finite]
            if wide.size:
                self._sum += float(wide.sum())
                self._squares += float(wide.dot(wide))
                self._minimum = min(self._minimum, float(wide.min()))
                self._maximum = max(self._maximum, float(wide.max()))
            self._count += int(wide.size)

    def facts(self) -> Dict[str, Any]:
        found: Dict[str, Any] = {"nonfinite": self._nonfinite}
        figures: Dict[str, Any] = {"mean": None, "minimum": None, "maximum": None, "norm": None}
        if self._count:
            figures = {
                "mean": self._sum / self._count,
                "minimum": self._minimum,
                "maximum": self._maximum,
                "norm": math.sqrt(self._squares) if self._squares >= 0 else math.nan,
            }
        for name, value in figures.items():  # of numbers that are too large to be squared, none
            found[name] = value if value is not None and math.isfinite(value) else None
        return found
