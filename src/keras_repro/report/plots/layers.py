"""The plot of parity: the errors of each layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_repro.report.plots.differences import difference_scale, places_of
from keras_repro.report.plots.style import BAND, MARKERS, SERIES, WIDE, styled, with_legend

ROW = 0.25  # inches
MANY = 25  # layers; the axis is then written above them too
MOST_LETTERS = 22  # of a layer's name where the plot is narrow


@styled
def layer_errors(
    layers: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    shaded: Sequence[int],
    width: float,
) -> Figure:
    """Return the relative errors of layers, one under the other; some layers are shaded.

    ``width`` is in inches. An error of zero lies on the line marked "0".
    """
    wide = width == WIDE
    under = 0.9 + 0.18 * (1 if wide else len(series))  # the axis and the legend
    figure = Figure(layout="constrained", figsize=(width, under + ROW * len(layers)))
    axes = figure.subplots()
    axes.set(xlabel="relative error")
    for index in shaded:
        axes.axhspan(index - 0.5, index + 0.5, color=BAND, alpha=0.6, lw=0)
    rows = np.arange(len(layers))
    every = [places_of(values) for values in series.values()]
    for number, (label, values) in enumerate(zip(series, every, strict=True)):
        shift = (number - (len(series) - 1) / 2) * 0.28
        axes.plot(
            *(values, rows + shift, MARKERS[number % len(MARKERS)]),
            color=SERIES[number % len(SERIES)],
            ms=4,
            label=label,
            clip_on=False,
        )
    difference_scale(axes, np.concatenate([*every, np.empty(0)]), along_x=True)
    axes.tick_params(top=len(layers) > MANY, labeltop=len(layers) > MANY)
    names = list(layers) if wide else [_cut(name) for name in layers]
    axes.set_yticks(rows, names)
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    return with_legend(figure, columns=3 if wide else 1)


def _cut(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
