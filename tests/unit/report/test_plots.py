"""What is drawn where: a difference of zero is on the line marked "0", and any number has room."""

import numpy as np
import pytest
from matplotlib.collections import Collection
from matplotlib.lines import Line2D

from keras_repro.report.page import Plots
from keras_repro.report.plots.embedding import embedded
from keras_repro.report.plots.layers import layer_errors
from keras_repro.report.plots.releases import over_releases
from keras_repro.report.plots.style import NARROW, WIDE


def place_of(axis, label):
    """Return where on paper a tick lies."""
    [tick] = [tick for tick in axis.get_major_ticks() if tick.label1.get_text() == label]
    return tick.get_loc()


def marked(axes):
    return [line for line in axes.lines if isinstance(line, Line2D) and line.get_marker() != "None"]


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_difference_of_zero_lies_on_the_line_marked_0(width):
    figure = over_releases(
        *(["1", "2", "3", "4"], [1.0, 1.0, 2.0, None], [None, 0.0, 1e-7, 0.3], [2], width)
    )
    below = figure.axes[1]
    [points] = marked(below)
    assert np.array_equal(points.get_ydata(), [np.nan, 0.0, 1e-7, 0.3], equal_nan=True)
    assert place_of(below.yaxis, "0") == 0
    assert below.get_ylim()[0] < 0
    heights = below.transData.transform([(0, value) for value in (0, 1e-7, 0.3)])[:, 1]
    assert heights[1] - heights[0] > 10  # zero is told from the least difference
    assert heights[2] - heights[1] > 50


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_an_error_of_zero_lies_on_the_line_marked_0(width):
    series = {"a against float64": [0.0, 1e-8], "b against float64": [1e-7, None]}
    figure = layer_errors(["0.dense", "1.dense"], series, [0], width)
    [axes] = figure.axes
    first, second = marked(axes)
    assert list(first.get_xdata()) == [0.0, 1e-8]
    assert np.array_equal(second.get_xdata(), [1e-7, np.nan], equal_nan=True)
    assert place_of(axes.xaxis, "0") == 0
    assert "1e-18" not in embedded(figure, "", 1)


@pytest.mark.parametrize(
    "values",
    [
        [None],
        [0.0],
        [0.0, 0.0, None],
        [5e-324, 1.0],
        [1e-300, 1e90],
        [1e300],
        [float("inf"), float("nan")],
        [1.0],
    ],
)
def test_any_differences_have_room(values):
    labels, plots = [f"1.{n}" for n in range(len(values))], Plots()
    for drawn in (
        plots.wide_plot("", over_releases, labels, values, values, []),
        plots.wide_plot("", layer_errors, labels, {"a": values, "b": values}, []),
    ):
        assert "cannot be drawn" not in drawn
        assert drawn.count('aria-label=""') + drawn.count('alt=""') == 2


def test_labels_that_have_no_room_are_left_out_but_for_the_changes():
    labels = [f"1.{n}.0.dev2025" for n in range(200)]
    figure = over_releases(labels, [1.0] * 200, [0.0] * 200, [7, 150], NARROW)
    shown = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert len(shown) < 25
    assert {"1.7.0.dev2025", "1.150.0.dev2025"} <= set(shown)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_nothing_is_clipped(width):
    """A legend or a name that does not fit into its figure is cut at its edge."""
    names = ["0.a_layer_with_a_rather_long_name_of_its", *(f"{n}.dense" for n in range(1, 40))]
    series = {f"tensorflow{n} against float64": [1e-7] * 40 for n in range(3)}
    figures = [
        layer_errors(names, series, [0], width),
        over_releases([f"0.{n}.0" for n in range(30)], [1.0] * 30, [1e-3] * 30, [1], width),
    ]
    for figure in figures:
        figure.draw_without_rendering()
        room = figure.bbox
        for artist in [*figure.legends, *(a for axes in figure.axes for a in axes.get_children())]:
            if artist.get_visible() and not isinstance(artist, Collection):
                box = artist.get_window_extent()
                assert box.x0 >= room.x0 - 1
                assert box.x1 <= room.x1 + 1
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert box.x0 >= room.x0 - 1
            assert box.y0 >= room.y0 - 1
            assert box.x1 <= room.x1 + 1
            assert box.y1 <= room.y1 + 1
