"""Compare arrays with arrays. Pure: prints nothing, writes nothing.

What the figures mean is defined in ``differences``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from keras_repro.numbers.cores import cores
from keras_repro.numbers.differences import (
    BFLOAT16,
    Difference,
    Scratch,
    Tolerance,
    difference,
    merge,
    widened,
)
from keras_repro.numbers.envelopes import Envelope
from keras_repro.numbers.summaries import Elements, Summary, apart, summarized
from keras_repro.recorder.contract import ArrayName, in_order, sample_places

BLOCK_BYTES = 1 << 19  # of either side; two blocks and the work on them fit a core's cache
SIDE_BY_SIDE_BYTES = 1 << 24  # from here on it pays to use every core

EXACT = Tolerance(0.0, 0.0)


class Verdict(StrEnum):
    """What a comparison says of an array, from the best to the worst."""

    IDENTICAL = "identical"  # same bits
    CLOSE = "close"  # within tolerance
    CHAOTIC = "chaotic"  # not judged: rounding alone moves it as far
    DRIFT = "drift"
    NONFINITE = "nonfinite"  # NaN or infinity on one side only
    DTYPE = "dtype"
    SHAPE = "shape"
    UNEXPECTED = "unexpected"  # only the run has it
    MISSING = "missing"  # only the baseline has it

    @property
    def passes(self) -> bool:
        """Whether the array is as it should be, as far as that can be judged."""
        return self in (Verdict.IDENTICAL, Verdict.CLOSE, Verdict.CHAOTIC)


@dataclass(frozen=True)
class Comparison:
    """What is known of one array's difference. The figures are None where they mean nothing.

    ``first``, ``first_outside`` and ``worst`` are indices; ``obtained`` and ``expected`` are the
    values at ``worst``. Where an array was not kept and its digest is another, it is judged on a
    sample of so many values, as ``note`` says, and the figures are of that; where it differs first
    is not known then.
    """

    name: str
    verdict: Verdict
    tolerance: Tolerance = EXACT
    elements: int = 0
    differing: int = 0
    outside: int = 0
    max_absolute: float | None = None
    max_relative: float | None = None
    max_ulps: int | None = None
    first: tuple[int, ...] | None = None
    first_outside: tuple[int, ...] | None = None
    worst: tuple[int, ...] | None = None
    obtained: Any = None
    expected: Any = None
    note: str = ""
    sample: int = 0

    @property
    def times(self) -> float | None:
        """How many times as far as is allowed ``obtained`` is from ``expected`` where it is worst.

        None where no calibration tells what is allowed, or these are no finite numbers.
        """
        if not isinstance(self.tolerance, Envelope) or self.worst is None:
            return None
        values = self.obtained, self.expected
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            return None
        allowed = self.tolerance.at(self.worst[0] if self.worst else 0)
        bound = allowed.atol + allowed.rtol * abs(self.expected)
        return abs(self.obtained - self.expected) / bound if bound else None

    @property
    def is_measured(self) -> bool:
        """Whether a calibration measured what is allowed."""
        return isinstance(self.tolerance, Envelope)

    @property
    def judged(self) -> int | None:
        """How many rows are judged, where a calibration leaves some out; else None."""
        return self.tolerance.horizon if isinstance(self.tolerance, Envelope) else None

    @property
    def first_step(self) -> int | None:
        """The first training step, from 0, after which the costs differ.

        Step k computes cost k from the weights that it finds, and then changes them. So where
        cost k + 1 is the first that differs, the update of step k, or the data of step k + 1, was
        another one. Where cost 0 differs, so did what step 0 found.
        """
        return self._step(self.first)

    @property
    def first_step_outside(self) -> int | None:
        """The first training step after which a cost is outside the tolerance."""
        return self._step(self.first_outside)

    def _step(self, index: tuple[int, ...] | None) -> int | None:
        if not index or not ArrayName.parse(self.name).is_per_step:
            return None
        return max(index[0] - 1, 0)


def worst_verdict(verdicts: list[Verdict]) -> Verdict | None:
    """Return the worst of the verdicts, None where there is none."""
    return max(verdicts, key=list(Verdict).index, default=None)


def matching(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that match one of the shell patterns; all where there is no pattern."""
    return [n for n in names if not patterns or any(fnmatchcase(n, p) for p in patterns)]


def compare(
    obtained: Mapping[str, Elements | Summary],
    expected: Mapping[str, Elements | Summary],
    tolerance_of: Callable[[str], Tolerance],
    only: tuple[str, ...] = (),
) -> list[Comparison]:
    """Return one comparison for each array that either side has, sorted by name.

    ``only`` limits them to the names that match one of these shell patterns.
    """
    comparisons = []
    for name in matching(sorted({*obtained, *expected}, key=in_order), only):
        if name not in obtained:
            comparisons.append(Comparison(name, Verdict.MISSING))
        elif name not in expected:
            comparisons.append(Comparison(name, Verdict.UNEXPECTED))
        else:
            comparisons.append(
                compare_array(name, obtained[name], expected[name], tolerance_of(name))
            )
    return comparisons


def compare_array(
    name: str,
    obtained: Elements | Summary,
    expected: Elements | Summary,
    tolerance: Tolerance,
    block_bytes: int = BLOCK_BYTES,
) -> Comparison:
    """Return the comparison of one array with what it should be."""
    if obtained.shape != expected.shape:
        note = f"obtained {obtained.shape}, expected {expected.shape}"
        return Comparison(name, Verdict.SHAPE, tolerance, obtained.size, note=note)
    if obtained.name != expected.name:
        note = f"obtained {obtained.name}, expected {expected.name}"
        return Comparison(name, Verdict.DTYPE, tolerance, obtained.size, note=note)
    if isinstance(obtained, Summary) or isinstance(expected, Summary):
        sides = _summary(obtained), _summary(expected)
        if not math.isinf(tolerance.atol):
            return _compare_summaries(name, *sides, tolerance)
        compared = replace(_compare_summaries(name, *sides, EXACT), tolerance=tolerance)
        if compared.verdict is not Verdict.DRIFT:
            return compared
        return replace(compared, verdict=Verdict.CHAOTIC, outside=0, first_outside=None)
    if isinstance(tolerance, Envelope):
        return _compare_rows(name, obtained, expected, tolerance, block_bytes)
    found = _differences(obtained, expected, tolerance, block_bytes)
    return _compared(name, obtained.shape, found, tolerance)


def _compare_rows(
    name: str, obtained: Elements, expected: Elements, envelope: Envelope, block_bytes: int
) -> Comparison:
    """Return the comparison of arrays whose rows may each be off by as much as was measured."""
    shape = obtained.shape
    rows = shape[0] if shape else 1
    size = obtained.size // rows if rows else 0
    judged, others = list[Difference](), list[Difference]()
    for start, stop, tolerance in envelope.stretches(rows):
        unjudged = math.isinf(tolerance.atol)
        allowed = EXACT if unjudged else tolerance
        found = _differences(obtained, expected, allowed, block_bytes, (start * size, stop * size))
        if unjudged:
            found = replace(found, outside=0, first_outside=None)
        (others if unjudged else judged).append(found)
    found = merge(judged + others)
    if any(part.differing for part in judged):
        found = replace(found, worst=merge(judged).worst)
    compared = _compared(name, shape, found, envelope)
    if compared.verdict is Verdict.CLOSE and not any(part.differing for part in judged):
        return replace(compared, verdict=Verdict.CHAOTIC)
    return compared


def _compared(
    name: str, shape: tuple[int, ...], found: Difference, tolerance: Tolerance
) -> Comparison:
    return Comparison(
        name,
        _verdict(found),
        tolerance,
        elements=math.prod(shape),
        differing=found.differing,
        outside=found.outside,
        max_absolute=found.max_absolute,
        max_relative=found.max_relative,
        max_ulps=found.max_ulps,
        first=_index(found.first, shape),
        first_outside=_index(found.first_outside, shape),
        worst=_index(None if found.worst is None else found.worst.place, shape),
        obtained=found.worst and found.worst.obtained,
        expected=found.worst and found.worst.expected,
    )


def _compare_summaries(
    name: str, obtained: Summary, expected: Summary, tolerance: Tolerance
) -> Comparison:
    """Return the comparison of arrays of which one at least was not kept.

    The same digest means the same bits. Else it is judged on the sample, and on the figures, which
    are of all elements. What is equal where it is close (integers, or where nothing is tolerated)
    is not close then.
    """
    if obtained.sha256 == expected.sha256:
        return Comparison(name, Verdict.IDENTICAL, tolerance, elements=obtained.size)
    places = sample_places(obtained.size)
    found = _differences(obtained.sample, expected.sample, tolerance, BLOCK_BYTES)
    if len(places) == obtained.size and found.differing:  # it has them all
        return _compared(name, obtained.shape, found, tolerance)
    figure = apart(obtained, expected, tolerance)
    note = f"judged on a sample of {len(places):,} of {obtained.size:,} values"
    if figure and not found.outside:
        note += f", and on the {figure}, which is not close"
    elif not found.differing:
        note += ", which is the same; the digests differ"
    counts = {obtained.figures.nonfinite, expected.figures.nonfinite} - {None}
    verdict = Verdict.CLOSE
    if found.nonfinite or len(counts) > 1:
        verdict = Verdict.NONFINITE
    elif found.outside or figure or tolerance == EXACT or not _has_tolerance(obtained):
        verdict = Verdict.DRIFT
    worst = None if found.worst is None else places[found.worst.place]
    return Comparison(
        name,
        verdict,
        tolerance,
        elements=obtained.size,
        differing=max(found.differing, 1),
        outside=max(found.outside, int(verdict is not Verdict.CLOSE)),
        max_absolute=found.max_absolute,
        max_relative=found.max_relative,
        max_ulps=found.max_ulps,
        worst=_index(worst, obtained.shape),
        obtained=found.worst and found.worst.obtained,
        expected=found.worst and found.worst.expected,
        note=note,
        sample=len(places),
    )


def _summary(array: Elements | Summary) -> Summary:
    return array if isinstance(array, Summary) else summarized(array)


def _has_tolerance(array: Summary) -> bool:
    return array.dtype.kind in "fc" or array.name == BFLOAT16


def first_nonfinite(array: Elements) -> tuple[int, ...] | None:
    """Return the index of the first NaN or infinity, or None."""
    if array.dtype.kind not in "fc" and array.name != BFLOAT16:
        return None
    step = BLOCK_BYTES // array.dtype.itemsize
    for start in range(0, array.size, step):
        block = array.read(start, min(start + step, array.size))
        bad = ~np.isfinite(widened(block) if array.name == BFLOAT16 else block)
        if bad.any():
            return _index(start + int(np.argmax(bad)), array.shape)
    return None


def _differences(
    obtained: Elements,
    expected: Elements,
    tolerance: Tolerance,
    block_bytes: int,
    places: tuple[int, int] | None = None,
) -> Difference:
    """Return the figures of all elements, or of those from one of ``places`` to the other."""
    itemsize = obtained.dtype.itemsize
    # What is read has the native byte order, whatever the file's.
    name = obtained.name if obtained.dtype.kind == "V" else obtained.dtype.name
    step = max(block_bytes // itemsize, 1)

    def blocks(start: int, stop: int) -> Difference:
        found, scratch = Difference(), Scratch()
        for place in range(start, stop, step):
            end = min(place + step, stop)
            mine, theirs = obtained.read(place, end), expected.read(place, end)
            part = difference(mine, theirs, name, tolerance, place, scratch)
            found = merge([found, part])
        return found

    begin, end = places or (0, obtained.size)
    size, workers = end - begin, cores()
    if size * itemsize < SIDE_BY_SIDE_BYTES or workers == 1:
        return blocks(begin, end)
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few arrays are so large

    share = -(-size // workers)  # NumPy lets other threads run while it works on a block
    with ThreadPoolExecutor(workers) as pool:
        starts = range(begin, end, share)
        return merge(list(pool.map(lambda at: blocks(at, min(at + share, end)), starts)))


def _verdict(found: Difference) -> Verdict:
    if not found.differing:
        return Verdict.IDENTICAL
    if found.nonfinite:
        return Verdict.NONFINITE
    return Verdict.DRIFT if found.outside else Verdict.CLOSE


def _index(place: int | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    return None if place is None else tuple(int(i) for i in np.unravel_index(place, shape))
