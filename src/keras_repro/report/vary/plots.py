"""The plots of variations: how far each moves each array, and how far each step."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from keras_repro.numbers.differences import Array
from keras_repro.report.plots.style import (
    MARKERS,
    MUTED,
    NARROW,
    SERIES,
    drawable,
    styled,
    thinned,
    with_legend,
)

ROW, COLUMN = 0.2, 0.24  # inches
FLOOR = 1e-18  # of a relative difference that is drawn


@styled
def heat_map(rows: Sequence[str], columns: Sequence[str], values: Array, width: float) -> Figure:
    """Return a map of relative differences: a row for each variation, a column for each array.

    Where not a bit moves, or no figure is, ``values`` is 0 and nothing is drawn.
    """
    longest = max((len(name) for name in columns), default=1)
    height = ROW * len(rows) + 0.075 * longest + 1.0
    figure = Figure(layout="constrained", figsize=(width, height))
    axes = figure.subplots()
    shown = np.ma.masked_less_equal(np.nan_to_num(drawable(values)).reshape(values.shape), 0.0)
    filled = shown.compressed()
    low, high = (filled.min(), filled.max()) if filled.size else (1e-8, 1e-7)
    norm = LogNorm(max(low, FLOOR), max(high, 10 * max(low, FLOOR)))
    mesh = axes.pcolormesh(shown, norm=norm, cmap="viridis", edgecolors=MUTED, linewidth=0.2)
    axes.grid(visible=False)
    axes.set_xticks(np.arange(len(columns)) + 0.5, list(columns), rotation=90, fontsize=7)
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows), fontsize=7)
    axes.invert_yaxis()
    bar = figure.colorbar(
        mesh,
        ax=axes,
        location="bottom" if width == NARROW else "right",
        label="largest relative difference",
    )
    _in_powers(bar.ax.xaxis if width == NARROW else bar.ax.yaxis)
    return figure


@styled
def spread_of_arrays(
    names: Sequence[str], rounding: Sequence[Array], others: Sequence[Array], width: float
) -> Figure:
    """Return for each array a mark for each variation: how far it moves it, in a logarithm.

    ``rounding`` are the differences where initial weights are moved, ``others`` all else.
    """
    longest = max((len(name) for name in names), default=1)
    figure = Figure(layout="constrained", figsize=(width, ROW * len(names) + 1.3))
    axes = figure.subplots()
    for values, colour, marker, shift, label in (
        (rounding, SERIES[1], MARKERS[1], 0.15, "weights and data moved by an ulp"),
        (others, SERIES[0], MARKERS[0], -0.15, "all other variations"),
    ):
        none = np.empty(0)
        at = np.concatenate([*(np.full(len(v), n) for n, v in enumerate(values)), none])
        sizes = drawable(np.concatenate([*values, none]))
        sizes = np.where(sizes > 0, sizes, np.nan)
        axes.plot(sizes, at + shift, marker, color=colour, ms=3, alpha=0.6, label=label)
    axes.set(xscale="log", xlabel="largest relative difference of the array")
    _in_powers(axes.xaxis)
    size = 7 if longest < 40 else 6
    axes.set_yticks(np.arange(len(names)), list(names), fontsize=size)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return with_legend(figure, 1 if width == NARROW else 2)


@styled
def spread_of_steps(rounding: Array | None, others: Array | None, width: float) -> Figure:
    """Return how far the training costs of each step are moved, by rounding and by all else.

    Both are relative to the base's cost of that step.
    """
    figure = Figure(layout="constrained", figsize=(width, 3.0))
    axes = figure.subplots()
    axes.set(xlabel="training step", ylabel="relative difference\nof the cost")
    for number, (values, label) in enumerate(
        ((others, "other variations"), (rounding, "an ulp of initial weights"))
    ):
        if values is not None:
            places, shown = thinned(values)
            shown = np.where(shown > 0, shown, np.nan)
            axes.plot(places, shown, MARKERS[number], color=SERIES[number], ms=3, label=label)
    axes.set_yscale("log")
    _in_powers(axes.yaxis)
    return with_legend(figure, 1 if width == NARROW else 2)


def _in_powers(axis: Axis) -> None:
    """Label the powers of ten of a logarithmic axis as text, and nothing between them."""
    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
    axis.set_minor_formatter(NullFormatter())
