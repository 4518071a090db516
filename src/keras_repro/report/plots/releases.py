"""The plot of a search: the numbers over the releases, days or commits that were tried."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_repro.report.plots.differences import difference_scale, places_of
from keras_repro.report.plots.style import (
    BAND,
    MARKERS,
    SERIES,
    WIDE,
    log_where_it_helps,
    styled,
)

LETTER, LINE = 0.075, 0.17  # inches; of a label that lies, and of one that stands


@styled
def over_releases(
    labels: Sequence[str],
    costs: Sequence[float | None],
    differences: Sequence[float | None],
    shaded: Sequence[int],
    width: float,
) -> Figure:
    """Return the final cost of each release, and how far its numbers are from the one's before.

    ``shaded`` are those at which the numbers change; ``width`` is in inches. A difference of zero
    lies on the line marked "0".
    """
    wide = width == WIDE
    figure = Figure(layout="constrained", figsize=(width, 4.0 if wide else 4.4))
    above, below = figure.subplots(2, sharex=True)
    above.set(ylabel="final cost")
    below.set(ylabel="largest relative difference\nfrom the one before")
    places = np.arange(len(labels))
    for axes in (above, below):
        axes.grid(visible=False, axis="x")
        for index in shaded:
            axes.axvspan(index - 0.5, index + 0.5, color=BAND, alpha=0.6, lw=0)
    heights = places_of(costs)
    above.plot(places, heights, color=SERIES[0], marker=MARKERS[0], ms=4.5)
    above.ticklabel_format(useOffset=False)
    log_where_it_helps(above, [heights[np.isfinite(heights)]])
    apart = places_of(differences)
    below.plot(places, apart, MARKERS[1], color=SERIES[1], ms=5)
    difference_scale(below, apart)
    below.set_xlim(-0.6, len(labels) - 0.4)
    room = width - 0.9
    lying = LETTER * (max(map(len, labels), default=0) + 1) * len(labels) <= room
    shown = list(range(len(labels))) if lying else _some(len(labels), shaded, int(room / LINE))
    below.set_xticks(shown, [labels[at] for at in shown], rotation=0 if lying else 90)
    return figure


def _some(count: int, wanted: Sequence[int], room: int) -> list[int]:
    """Return places to label, evenly spaced, those that are wanted instead of their neighbours."""
    step = math.ceil(count / room)
    if step == 1:
        return list(range(count))
    chosen = dict.fromkeys(wanted[:room])
    for at in range(0, count, step):
        if all(abs(at - other) >= step for other in wanted):
            chosen[at] = None
    return sorted(chosen)
