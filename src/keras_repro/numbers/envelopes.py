"""How far an array may be off, row by row: what rounding was seen to do to it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from keras_repro.numbers.differences import Tolerance


@dataclass(frozen=True)
class Envelope(Tolerance):
    """A measured tolerance: ``bounds[k]`` is absolute, from row ``starts[k]`` on.

    The first of ``starts`` is 0. An array that is no series has one bound. Rows whose bound is
    infinite are not judged: there rounding alone moves them as far as anything else does.
    ``atol`` is the largest of the bounds, ``rtol`` holds in every row.
    """

    starts: tuple[int, ...] = (0,)
    bounds: tuple[float, ...] = (math.inf,)

    @classmethod
    def of(cls, starts: tuple[int, ...], bounds: tuple[float, ...], rtol: float) -> "Envelope":
        """Return the envelope with these bounds."""
        return cls(rtol, max(bounds), starts, bounds)

    @property
    def horizon(self) -> int | None:
        """How many rows are judged; None where all of them are."""
        for start, bound in zip(self.starts, self.bounds, strict=True):
            if math.isinf(bound):
                return start
        return None

    def at(self, row: int) -> Tolerance:
        """Return the tolerance of one row."""
        known = [at for at, start in enumerate(self.starts) if start <= row]
        return Tolerance(self.rtol, self.bounds[known[-1]])

    def stretches(self, rows: int) -> Iterator[tuple[int, int, Tolerance]]:
        """Yield (start, stop, tolerance) of the rows of an array that has so many."""
        stops = [*self.starts[1:], rows]
        for start, stop, bound in zip(self.starts, stops, self.bounds, strict=True):
            if start < rows:
                yield start, min(stop, rows), Tolerance(self.rtol, bound)


def absolute(tolerance: Tolerance, rows: int) -> list[float]:
    """Return the absolute tolerance of each of so many rows."""
    if not isinstance(tolerance, Envelope):
        return [tolerance.atol] * rows
    return [
        part.atol for start, stop, part in tolerance.stretches(rows) for _ in range(start, stop)
    ]
