"""An axis for differences: logarithmic, with a place for those that are exactly zero."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from keras_repro.numbers.differences import Array
from keras_repro.report.plots.style import MUTED, drawable

SMALLEST = -300  # the exponent of a float64 that is no subnormal number
UNKNOWN = -9  # the exponent at which the axis begins where every difference is zero
MOST_TICKS = 6  # besides zero
LEAST_ROOM = 8  # the linear part is at least so small a part of the decades, so that "0" has room


def places_of(values: Sequence[float | None]) -> Array:
    """Return differences as float64, NaN where there is none or no axis has room for it."""
    return drawable(np.array([math.nan if value is None else value for value in values]))


def difference_scale(axes: Axes, values: Array, *, along_x: bool = False) -> None:
    """Give an axis decades for these differences, and under them a line that is marked "0".

    The scale is matplotlib's "symlog": linear from zero to the decade of the smallest difference,
    where no value lies, and logarithmic from there on.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = UNKNOWN, UNKNOWN + 1
    if positive.size:
        low = max(math.floor(math.log10(positive.min())), SMALLEST)
        high = max(math.ceil(math.log10(positive.max())), low + 1)
    step = math.ceil((high - low + 1) / MOST_TICKS)
    exponents = list(range(high, low - 1, -step))
    ticks = [0.0, *(10.0**exponent for exponent in exponents)]
    labels = ["0", *(f"1e{exponent}" for exponent in exponents)]
    room = max(0.8, (high - low) / LEAST_ROOM)
    limits = (-0.4 * 10.0**low, 1.7 * 10.0**high)
    if along_x:
        axes.set_xscale("symlog", linthresh=10.0**low, linscale=room)
        axes.set_xticks(ticks, labels)
        axes.set_xticks([], minor=True)
        axes.set_xlim(*limits)
        axes.axvline(0, color=MUTED, lw=0.8)
    else:
        axes.set_yscale("symlog", linthresh=10.0**low, linscale=room)
        axes.set_yticks(ticks, labels)
        axes.set_yticks([], minor=True)
        axes.set_ylim(*limits)
        axes.axhline(0, color=MUTED, lw=0.8)
