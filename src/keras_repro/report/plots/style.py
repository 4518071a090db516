"""How every plot looks, and what they share: a figure, its legend, and numbers fit to be drawn."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from keras_repro.numbers.differences import Array

SIZE = (4.2, 2.7)  # inches; the letters are legible also where the page is 360 px wide
NARROW, WIDE = 4.2, 11.0  # inches; of a plot as wide as the page, on a phone and on a screen
MOST_POINTS = 800  # of a line: more than the page has pixels
LARGEST = 1e100  # further out, the sums that matplotlib makes overflow
LOG_RATIO = 20.0  # from here on a logarithmic scale tells more

# The colours of paper; in an SVG the page's style sheet replaces them, so that it can be dark.
INK, MUTED, BAND = "#1b1f24", "#6b7281", "#cfd8e3"
SERIES = ("#0060a8", "#b45309", "#04765a", "#b3307a", "#6d3fc0", "#4b5563")
IN_THE_PAGE = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    BAND: "var(--band)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)},
}
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 3)))
MARKERS = ("o", "s", "D")

STYLE: Any = {
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.figsize": SIZE,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.alpha": 0.25,
    "grid.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "path.simplify": True,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "keras-repro",
    "text.color": INK,
    "text.parse_math": False,  # names come from scripts, and a dollar sign in one is no formula
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}
styled = mpl.rc_context(STYLE)
"""Decorates a function that draws. Matplotlib reads its settings also when it adds to a figure."""


def new_figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Return a figure of the usual size with one pair of axes."""
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def with_legend(figure: Figure, columns: int = 3) -> Figure:
    """Return the figure with a legend under it."""
    figure.legend(loc="outside lower center", ncols=columns)
    return figure


def drawable(values: Array) -> Array:
    """Return values as float64, 1-D, NaN where matplotlib could not place them."""
    wide = np.asarray(values, np.float64).reshape(-1)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(wide) <= LARGEST, wide, np.nan)


def thinned(values: Array) -> tuple[Array, Array]:
    """Return places and values, at most ``MOST_POINTS``: of each stretch the least and largest."""
    values = drawable(values)
    places = np.arange(values.size)
    if values.size <= MOST_POINTS:
        return places, values
    edges = np.linspace(0, values.size, MOST_POINTS // 2 + 1).astype(int)[:-1]
    filled = np.nan_to_num(values)
    lengths = np.diff([*edges, values.size])
    chosen = []
    for pick in (np.argmin, np.argmax):
        chosen += [
            start + int(pick(filled[start : start + length]))
            for start, length in zip(edges, lengths, strict=True)
        ]
    some = np.unique(chosen)
    return places[some], values[some]


def log_where_it_helps(axes: Axes, series: list[Array]) -> None:
    """Make the y axis logarithmic where all values are positive and far apart."""
    values = np.concatenate([drawable(part) for part in series] or [np.ones(1)])
    values = values[np.isfinite(values)]
    if not values.size or values.min() <= 0 or values.max() < LOG_RATIO * values.min():
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_locator(LogLocator(subs=()))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
