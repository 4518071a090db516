"""The plot of a scalar: both distributions, and how far the means are apart beside the margin."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Found
from keras_repro.numbers.differences import Array
from keras_repro.report.plots.style import BAND, INK, MARKERS, SERIES, drawable, styled

HEIGHT = 3.4  # inches
ROWS = ("expected", "obtained")
MOST_DOTS = 500  # of a row
STEP = 0.06  # by which dots that lie on each other are moved apart
WIDEST = 0.32


@styled
def distributions(found: Found, width: float) -> Figure:
    """Return the seeds of both sides as dots, and below them the difference and its interval.

    The band is the margin. A vertical line marks each mean; seeds that lie apart are not drawn.
    """
    figure = Figure(layout="constrained", figsize=(width, HEIGHT))
    above, below = figure.subplots(2, 1, height_ratios=(2, 1.1))
    for at, values in enumerate((found.scalar.expected, found.scalar.obtained)):
        near = drawable(values[ordinary(values)])
        near = near[np.isfinite(near)][:MOST_DOTS]
        above.plot(near, at + _beside(near), MARKERS[at], color=SERIES[at], ms=4, alpha=0.7, mew=0)
        if near.size:
            above.plot([near.mean()] * 2, [at - 0.4, at + 0.4], color=INK, lw=1.2)
    above.set_yticks((0, 1), ROWS)
    above.set_ylim(1.6, -0.6)
    above.set_xlabel("each dot a seed")
    _few_ticks(above)
    margin = min(found.scalar.margin.value, 1e100)
    below.axvspan(-margin, margin, color=BAND, alpha=0.7, lw=0)
    below.axvline(0, color=INK, lw=0.8)
    ends = drawable(np.array([found.low, found.high, found.difference]))
    below.plot(ends[:2], [0, 0], color=SERIES[1], lw=2, solid_capstyle="butt")
    below.plot(ends[2:], [0], MARKERS[1], color=SERIES[1], ms=6)
    below.set_yticks((0,), ("difference",))
    below.set_ylim(-1, 1)
    below.grid(visible=False, axis="y")
    below.set_xlabel("obtained - expected; shaded: the margin")
    _few_ticks(below)
    return figure


def _few_ticks(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


def _beside(values: Array) -> Array:
    """Return how far to move each dot up or down, so that those nearby are told apart."""
    if values.size < 2 or np.ptp(values) == 0:
        count = np.arange(values.size)
    else:
        bins = np.floor((values - values.min()) / np.ptp(values) * 40)
        count = np.array([int((bins[:at] == one).sum()) for at, one in enumerate(bins)])
    moved = np.where(count % 2, 1, -1) * ((count + 1) // 2) * STEP
    return np.asarray(np.clip(moved, -WIDEST, WIDEST))
