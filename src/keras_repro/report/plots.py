"""Plots by matplotlib, and how they go into the page: as SVG or PNG, whichever is smaller."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, SymmetricalLogLocator

from keras_repro.numbers.differences import Array, Tolerance

WIDE = 7  # inches
SIZE = (4.2, 2.7)  # inches; the letters are legible also where the page is 360 px wide
FORMATS = ("svg", "png", "pdf")
MOST_POINTS = 800  # of a line: more than the page has pixels
MOST_DOTS = 2000
LARGEST = 1e100  # further out, the sums that matplotlib makes overflow
NOTHING = 1e-18  # is drawn for an error of 0
MARKERS = ("o", "s", "D")
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
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def cost_curves(run: Array | None, baseline: Array | None) -> Figure:
    """Return the training costs of a run and its baseline over the steps."""
    figure, axes = _new("training cost", "training step", "cost")
    if baseline is not None:
        axes.plot(*_thinned(baseline), color=SERIES[1], lw=3.5, alpha=0.45, label="baseline")
    if run is not None:
        axes.plot(*_thinned(run), color=SERIES[0], label="run")
    _log_where_it_helps(axes, [costs for costs in (run, baseline) if costs is not None])
    return _with_legend(figure)


def cost_difference(run: Array, baseline: Array, tolerance: Tolerance) -> Figure:
    """Return run minus baseline over the steps, on a symmetric log scale, with the tolerance."""
    count = min(run.size, baseline.size)
    run, baseline = (_drawable(costs)[:count] for costs in (run, baseline))
    band = tolerance.atol + tolerance.rtol * np.abs(baseline)
    figure, axes = _new("run minus baseline", "training step", "difference of cost")
    places, low = _thinned(-band)
    axes.fill_between(places, low, -low, color=BAND, lw=0, label="tolerance")
    axes.plot(*_thinned(run - baseline), color=SERIES[0], label="difference")
    narrowest = float(np.min(band[np.isfinite(band) & (band > 0)], initial=np.inf))
    threshold = narrowest if np.isfinite(narrowest) else 1e-12
    axes.set_yscale("symlog", linthresh=threshold)
    locator = SymmetricalLogLocator(base=10, linthresh=threshold)
    locator.set_params(numticks=7)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}" if value else "0"))
    return _with_legend(figure)


def prediction_line(
    given: Array, wanted: Array | None, run: Array | None, baseline: Array | None
) -> Figure:
    """Return the data, and what run and baseline predict for them: one input, one output."""
    figure, axes = _new("prediction", "x", "y")
    x = _drawable(given)
    order = np.argsort(x, kind="stable")
    if wanted is not None:
        some = _some(x.size)
        axes.plot(x[some], _drawable(wanted)[some], ".", color=MUTED, ms=5, label="data")
    for values, style in (
        (baseline, {"color": SERIES[1], "lw": 3.5, "alpha": 0.45, "label": "baseline's fit"}),
        (run, {"color": SERIES[0], "label": "run's fit"}),
    ):
        if values is not None:
            some = order[_some(x.size)]
            axes.plot(x[some], _drawable(values)[some], **style)
    return _with_legend(figure)


def prediction_pairs(run: Array, baseline: Array) -> Figure:
    """Return each predicted value of the run against the baseline's: equal ones on the line."""
    figure, axes = _new("predictions", "baseline", "run")
    some = _some(run.size)
    before, after = _drawable(baseline)[some], _drawable(run)[some]
    finite = np.isfinite(before) & np.isfinite(after)
    before, after = before[finite], after[finite]
    if before.size:
        ends = [min(before.min(), after.min()), max(before.max(), after.max())]
        axes.plot(ends, ends, color=MUTED, lw=1, label="equal")
    axes.plot(before, after, ".", color=SERIES[0], ms=4, label="a value")
    return _with_legend(figure)


def all_costs(costs: Mapping[str, Array]) -> Figure:
    """Return the training costs of every backend together."""
    figure, axes = _new("training cost on every backend", "training step", "cost")
    for number, (backend, values) in enumerate(costs.items()):
        axes.plot(
            *_thinned(values),
            color=SERIES[number % len(SERIES)],
            ls=LINES[number % len(LINES)],
            label=backend,
        )
    _log_where_it_helps(axes, list(costs.values()))
    return _with_legend(figure)


def final_costs(histories: Mapping[str, Sequence[float | None]]) -> Figure:
    """Return each backend's final cost over the acceptances of its baseline."""
    figure, axes = _new("final cost of each baseline", "acceptance", "final cost")
    for number, (backend, values) in enumerate(histories.items()):
        axes.plot(
            range(1, len(values) + 1),
            [np.nan if value is None else value for value in values],
            color=SERIES[number % len(SERIES)],
            ls=LINES[number % len(LINES)],
            marker="o",
            ms=4,
            label=backend,
        )
    every = [np.array([v for v in values if v is not None]) for values in histories.values()]
    _log_where_it_helps(axes, every)
    longest = max(map(len, histories.values()), default=1)
    axes.set_xlim(0.5, longest + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return _with_legend(figure)


def layer_errors(
    layers: Sequence[str], series: Mapping[str, Sequence[float | None]], shaded: Sequence[int]
) -> Figure:
    """Return the relative errors of layers, side by side on a log scale; some are shaded."""
    figure, axes = _new("errors by layer; where they part is shaded", "", "relative error")
    longest = max(map(len, layers), default=0)
    figure.set_size_inches(max(SIZE[0], 1.4 + 0.26 * len(layers)), 2.9 + 0.075 * longest)
    for index in shaded:
        axes.axvspan(index - 0.5, index + 0.5, color=BAND, lw=0)
    places = np.arange(len(layers))
    for number, (label, values) in enumerate(series.items()):
        # An error of nothing has no place on a log scale: it is drawn at its foot.
        heights = [np.nan if value is None else max(value, NOTHING) for value in values]
        shift = (number - (len(series) - 1) / 2) * 0.22
        axes.plot(
            *(places + shift, heights, MARKERS[number]), color=SERIES[number], ms=5, label=label
        )
    axes.set_yscale("log")
    axes.set_ylim(NOTHING / 3, None)
    axes.set_xlim(-0.6, len(layers) - 0.4)
    axes.set_xticks(places, layers, rotation=90)
    axes.grid(visible=False, axis="x")
    # Names of backends are long: side by side they are wider than a figure of few layers.
    return _with_legend(figure, columns=3 if figure.get_figwidth() > WIDE else 1)


def over_releases(
    labels: Sequence[str], costs: Sequence[float | None], differences: Sequence[float | None]
) -> Figure:
    """Return the final cost of each release, and how far its numbers are from the one's before."""
    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained", figsize=(max(SIZE[0], 1.2 + 0.3 * len(labels)), 4.4))
        above, below = figure.subplots(2, sharex=True)
        above.set(title="over the releases that were tried", ylabel="final cost")
        below.set(ylabel="largest relative\ndifference from\nthe one before")
    places = np.arange(len(labels))
    heights = [np.nan if value is None else value for value in costs]
    above.plot(places, heights, color=SERIES[0], marker="o", ms=4)
    _log_where_it_helps(above, [np.array([h for h in heights if np.isfinite(h)])])
    # No difference has no place on a log scale: it is drawn at its foot.
    shown = [np.nan if value is None else max(value, NOTHING) for value in differences]
    below.plot(places, shown, MARKERS[1], color=SERIES[1], ms=5)
    below.set_yscale("log")
    below.set_ylim(NOTHING / 3, 1e3)
    below.yaxis.set_major_locator(LogLocator(numticks=5))
    below.set_xticks(places, labels, rotation=90)
    below.set_xlim(-0.6, len(labels) - 0.4)
    return figure


def embedded(figure: Figure, description: str, number: int) -> Markup:
    """Return the figure as HTML: inline SVG or a PNG, whichever is smaller.

    ``number`` sets its ids apart from those of the page's other figures.
    """
    svg = _svg(figure, f"p{number}-", description)
    png = png_image(_png(figure), description)
    return svg if len(svg) <= len(png) else png


def png_image(content: bytes, description: str) -> Markup:
    """Return a PNG as an image that the page carries in itself."""
    data = base64.b64encode(content).decode()
    return Markup('<img class="png" alt="{}" src="data:image/png;base64,{}">').format(
        description, data
    )


def drawn(figure: Figure, form: str) -> bytes:
    """Return the figure as a file's content, in one of ``FORMATS``."""
    buffer = io.BytesIO()
    with mpl.rc_context({**STYLE, "savefig.transparent": False}):
        figure.savefig(buffer, format=form, dpi=160)
    return buffer.getvalue()


def _new(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _with_legend(figure: Figure, columns: int = 3) -> Figure:
    with mpl.rc_context(STYLE):
        figure.legend(loc="outside lower center", ncols=columns)
    return figure


def _drawable(values: Array) -> Array:
    """Return values as float64, 1-D, NaN where matplotlib could not place them."""
    wide = np.asarray(values, np.float64).reshape(-1)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(wide) <= LARGEST, wide, np.nan)


def _thinned(values: Array) -> tuple[Array, Array]:
    """Return places and values, at most ``MOST_POINTS``: of each stretch the least and largest."""
    values = _drawable(values)
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


def _some(size: int) -> Array:
    return np.unique(np.linspace(0, size - 1, min(size, MOST_DOTS)).astype(int))


def _log_where_it_helps(axes: Axes, series: list[Array]) -> None:
    values = np.concatenate([_drawable(part) for part in series] or [np.ones(1)])
    values = values[np.isfinite(values)]
    if not values.size or values.min() <= 0 or values.max() / values.min() < LOG_RATIO:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_locator(LogLocator(subs=()))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _svg(figure: Figure, prefix: str, description: str) -> Markup:
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r'\sid="([^"]+)"', rf' id="{prefix}\1"', text)
    text = re.sub(r'(url\(|href=")#', rf"\1#{prefix}", text)
    for colour, name in IN_THE_PAGE.items():
        text = text.replace(colour, name)
    view = re.search(r'viewBox="([^"]+)"', text)
    assert view is not None
    opening = Markup('<svg role="img" aria-label="{}" viewBox="{}">').format(
        description, view.group(1)
    )
    # Matplotlib writes the rest, and escapes what it is given.
    return opening + Markup(re.sub(r"^<svg[^>]*>|\n\s*", "", text))  # noqa: S704


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
