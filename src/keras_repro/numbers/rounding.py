"""Whether two values that are known by a few figures alone may differ by rounding alone. Pure.

Two processors round differently, and so each value that a model computed differs in its last bits.
Where the elements of an array are each off by ``r`` times the largest of them, its extremes move by
at most ``r`` times that. By the triangle inequality its norm moves by at most the norm of what they
are off by, and by Cauchy and Schwarz its mean by that norm over the root of their number. Rounding
goes in every direction, so that what they are off by has about ``r`` times the norm of the array.

Where terms cancel out, a bias before a batch normalization say, what is left of them is rounding of
the terms: there ``r`` is taken of their size too, as far as that is known.

``r`` is 1e-5 of a float32 before the first step: the tolerance of arrays, three times what other
processors were seen to change in whole trainings. Types of fewer bits have eight units in their
last place instead. Each training step goes on from what the last one rounded and adds as much, so
``r`` grows by itself with every step; it ends at a hundredth, since what is further apart is worth
a line whatever the reason.
"""

import math
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers.differences import Array
from keras_repro.numbers.tolerances import DEFAULT

MOST = 1e-2
# What lies between 1 and the next number.
UNITS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
REAL = ("float", "bfloat", "complex")  # that dtypes' names begin with which are rounded


@dataclass(frozen=True)
class Figures:
    """What is known of an array: of how many elements, and None for what is not known."""

    dtype: str
    elements: int
    mean: float | None
    minimum: float | None
    maximum: float | None
    norm: float | None


def is_rounded(dtype: str) -> bool:
    """Return whether values of a dtype, given by its name, are rounded when computed."""
    return dtype.startswith(REAL)


def relative(dtype: str, steps: int) -> float:
    """Return how far rounding may take values of a dtype apart in so many training steps."""
    one = _before_training(dtype)
    return max(one, min(one * (1 + steps), MOST))


def _before_training(dtype: str) -> float:
    return max(DEFAULT.rtol, 8 * UNITS.get(dtype, 0.0))


def within_rounding(one: Figures, other: Figures, steps: int, scale: float = 0.0) -> bool | None:
    """Return whether two arrays may differ by rounding alone, after so many training steps.

    ``scale`` is the size of numbers that theirs are sums of: what cancels out is rounded as these
    are. None where that is not known: no figure is there on both sides. The order of the two does
    not matter.
    """
    pairs = {
        name: (mine, theirs)
        for name in ("norm", "mean", "minimum", "maximum")
        if (mine := getattr(one, name)) is not None and (theirs := getattr(other, name)) is not None
    }
    if not pairs:
        return None
    most, elements = relative(one.dtype, steps), max(one.elements, other.elements, 1)
    norm = max(_size(one.norm), _size(other.norm))
    extremes = (one.minimum, one.maximum, other.minimum, other.maximum)
    largest = max(_size(extreme) for extreme in extremes)
    least = most * scale + DEFAULT.atol
    allowed = {
        "norm": most * norm + least * math.sqrt(elements),
        "mean": most * norm / math.sqrt(elements) + least,
        "minimum": most * largest + least,
        "maximum": most * largest + least,
    }
    return all(_near(*pair, allowed[name]) for name, pair in pairs.items())


def series_within_rounding(one: Array, other: Array, dtype: str) -> Array:
    """Return which elements of two series may differ by rounding alone: bool, of their shape.

    Row k is of training step k + 1; ``dtype`` is what they were computed in.
    """
    with np.errstate(all="ignore"):
        one, other = one.astype(np.float64), other.astype(np.float64)
        first = _before_training(dtype)
        most = np.maximum(np.minimum(first * (2 + np.arange(len(one))), MOST), first)
        most = most.reshape(-1, *[1] * (one.ndim - 1))
        allowed = most * np.maximum(np.abs(one), np.abs(other)) + DEFAULT.atol
        near = np.isfinite(one) & np.isfinite(other) & (np.abs(one - other) <= allowed)
    return np.asarray(near | (one == other) | (np.isnan(one) & np.isnan(other)))


def scale_of(arrays: list[Figures]) -> float:
    """Return the root of the mean square of all elements of some arrays, as far as it is known."""
    known = [(_size(each.norm), each.elements) for each in arrays if each.norm is not None]
    count = sum(elements for _, elements in known)
    return math.hypot(*(norm for norm, _ in known)) / math.sqrt(count) if count else 0.0


def _near(one: float, other: float, allowed: float) -> bool:
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    return abs(one - other) <= allowed


def _size(value: float | None) -> float:
    return abs(value) if value is not None and math.isfinite(value) else 0.0
