"""Plots of costs: over the steps of a training, and over the acceptances of a baseline."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, SymmetricalLogLocator

from keras_repro.numbers.differences import Array, Tolerance
from keras_repro.numbers.envelopes import absolute
from keras_repro.report.plots.style import (
    BAND,
    LINES,
    SERIES,
    SIZE,
    WIDE,
    drawable,
    log_where_it_helps,
    new_figure,
    styled,
    thinned,
    with_legend,
)


@styled
def cost_curves(run: Array | None, baseline: Array | None) -> Figure:
    """Return the training costs of a run and its baseline over the steps."""
    figure, axes = new_figure("training cost", "training step", "cost")
    if baseline is not None:
        axes.plot(*thinned(baseline), color=SERIES[1], lw=3.5, alpha=0.45, label="baseline")
    if run is not None:
        axes.plot(*thinned(run), color=SERIES[0], label="run")
    log_where_it_helps(axes, [costs for costs in (run, baseline) if costs is not None])
    return with_legend(figure)


@styled
def cost_difference(run: Array, baseline: Array, tolerance: Tolerance) -> Figure:
    """Return run minus baseline over the steps, on a symmetric log scale, with the tolerance."""
    count = min(run.size, baseline.size)
    run, baseline = (drawable(costs)[:count] for costs in (run, baseline))
    band = np.array(absolute(tolerance, count)) + tolerance.rtol * np.abs(baseline)
    band = np.where(np.isfinite(band), band, np.nan)  # there it is not judged
    figure, axes = new_figure("run minus baseline", "training step", "difference of cost")
    places, low = thinned(-band)
    axes.fill_between(places, low, -low, color=BAND, lw=0, label="tolerance")
    axes.plot(*thinned(run - baseline), color=SERIES[0], label="difference")
    narrowest = float(np.min(band[np.isfinite(band) & (band > 0)], initial=np.inf))
    threshold = narrowest if np.isfinite(narrowest) else 1e-12
    axes.set_yscale("symlog", linthresh=threshold)
    locator = SymmetricalLogLocator(base=10, linthresh=threshold)
    locator.set_params(numticks=7)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}" if value else "0"))
    return with_legend(figure)


@styled
def all_costs(costs: Mapping[str, Array], width: float) -> Figure:
    """Return the training costs of every backend together; ``width`` is in inches."""
    figure, axes = new_figure("training cost on every backend", "training step", "cost")
    figure.set_size_inches(width, 3.2 if width == WIDE else SIZE[1])
    for number, (backend, values) in enumerate(costs.items()):
        axes.plot(
            *thinned(values),
            color=SERIES[number % len(SERIES)],
            ls=LINES[number % len(LINES)],
            label=backend,
        )
    log_where_it_helps(axes, list(costs.values()))
    return with_legend(figure, columns=6 if width == WIDE else 3)


@styled
def final_costs(histories: Mapping[str, Sequence[float | None]]) -> Figure:
    """Return each backend's final cost over the acceptances of its baseline."""
    figure, axes = new_figure("final cost of each baseline", "acceptance", "final cost")
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
    log_where_it_helps(axes, every)
    longest = max(map(len, histories.values()), default=1)
    axes.set_xlim(0.5, longest + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return with_legend(figure)
