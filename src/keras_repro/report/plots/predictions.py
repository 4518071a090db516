"""Plots of predictions: as a line over their inputs, or the run's against the baseline's."""

import numpy as np
from matplotlib.figure import Figure

from keras_repro.numbers.differences import Array
from keras_repro.report.plots.style import (
    MUTED,
    SERIES,
    drawable,
    new_figure,
    styled,
    with_legend,
)

MOST_DOTS = 2000


@styled
def prediction_line(
    given: Array, wanted: Array | None, run: Array | None, baseline: Array | None
) -> Figure:
    """Return the data, and what run and baseline predict for them: one input, one output."""
    figure, axes = new_figure("prediction", "x", "y")
    x = drawable(given)
    order = np.argsort(x, kind="stable")
    if wanted is not None:
        some = _some(x.size)
        axes.plot(x[some], drawable(wanted)[some], ".", color=MUTED, ms=5, label="data")
    for values, style in (
        (baseline, {"color": SERIES[1], "lw": 3.5, "alpha": 0.45, "label": "baseline's fit"}),
        (run, {"color": SERIES[0], "label": "run's fit"}),
    ):
        if values is not None:
            some = order[_some(x.size)]
            axes.plot(x[some], drawable(values)[some], **style)
    return with_legend(figure)


@styled
def prediction_pairs(run: Array, baseline: Array) -> Figure:
    """Return each predicted value of the run against the baseline's: equal ones on the line."""
    figure, axes = new_figure("predictions", "baseline", "run")
    some = _some(run.size)
    before, after = drawable(baseline)[some], drawable(run)[some]
    finite = np.isfinite(before) & np.isfinite(after)
    before, after = before[finite], after[finite]
    if before.size:
        ends = [min(before.min(), after.min()), max(before.max(), after.max())]
        axes.plot(ends, ends, color=MUTED, lw=1, label="equal")
    axes.plot(before, after, ".", color=SERIES[0], ms=4, label="a value")
    return with_legend(figure)


def _some(size: int) -> Array:
    return np.unique(np.linspace(0, size - 1, min(size, MOST_DOTS)).astype(int))
