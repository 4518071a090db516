"""Measure how far two arrays are apart: a figure, or a word where no figure can say it."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Union

import numpy

from keras_repro.recorder.contract import ANOTHER_KIND, ANOTHER_SHAPE

Apart = Union[float, str]  # a string is one of the two words


def same(first: Any, second: Any) -> bool:
    """Whether two arrays are the same, also in where they are no numbers."""
    first, second = numpy.asarray(first), numpy.asarray(second)
    if first.shape != second.shape:
        return False
    equal = first == second
    if first.dtype.kind in "fc" and second.dtype.kind in "fc":
        equal = equal | (numpy.isnan(first) & numpy.isnan(second))
    return bool(numpy.all(equal))


def same_mask(first: Any, second: Any) -> bool:
    """Whether two masks hide the same; None hides nothing."""
    if first is None or second is None:
        there = second if first is None else first
        return there is None or bool(numpy.all(there))
    return same(first, second)


def apart(first: Any, second: Any) -> Apart:
    """Return the largest difference of two arrays, relative to the first's largest finite value.

    ``ANOTHER_SHAPE`` where their shapes differ; ``ANOTHER_KIND`` where one holds an infinity or
    NaN that the other does not.
    """
    first, second = numpy.asarray(first), numpy.asarray(second)
    if first.shape != second.shape:
        return ANOTHER_SHAPE
    if same(first, second):
        return 0.0
    first, second = first.astype(numpy.float64), second.astype(numpy.float64)
    finite = numpy.isfinite(first)
    if not same(first[~finite], second[~finite]) or not numpy.all(numpy.isfinite(second[finite])):
        return ANOTHER_KIND
    largest = float(numpy.max(numpy.abs(first[finite]))) or 1.0
    return float(numpy.max(numpy.abs(first[finite] - second[finite]))) / largest


def furthest(found: Iterable[Apart]) -> Apart:
    """Return the largest of some figures, 0 where there is none; a word is further than any."""
    figures = [0.0]
    for one in found:
        if isinstance(one, str):
            return one
        figures.append(one)
    return max(figures)


def facts(first: Any, second: Any) -> Dict[str, Any]:
    """Return whether two arrays are equal; of floats also how far they are apart, in ``apart``.

    Of other arrays ``apart`` is there only where their shapes differ: how far two class numbers
    are apart means nothing.
    """
    first, second = numpy.asarray(first), numpy.asarray(second)
    found: Dict[str, Any] = {"equal": same(first, second)}
    floats = first.dtype.kind == "f" and second.dtype.kind == "f"
    if floats or first.shape != second.shape:
        found["apart"] = apart(first, second)
    return found
