"""What every page is made with: its environment, where what a run says is text, and its plots."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from keras_repro import __version__
from keras_repro.report import text
from keras_repro.report.matrix import verdict_cell
from keras_repro.report.plots.embedding import embedded
from keras_repro.report.plots.style import NARROW, WIDE

MOST_TEXT = 120  # characters of a name or a value


def page_environment() -> Environment:
    """Return Jinja's environment: all is escaped, and what is not defined is an error."""
    environment = Environment(
        loader=PackageLoader("keras_repro.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        short=partial(text.printable, most=MOST_TEXT),
        printable=text.printable,
        figure=text.figure,
        count=text.count,
        element=text.element,
    )
    environment.globals.update(
        version=__version__,
        where=text.where,
        note=text.note,
        index=text.index,
        verdict_cell=verdict_cell,
    )
    return environment


class Plots:
    """Draws a page's plots, and numbers them so that their ids are told apart."""

    def __init__(self) -> None:
        self._drawn = 0

    def plot(self, description: str, draw: Callable[..., Figure], *data: Any) -> Markup:
        """Return a plot as HTML, or where it cannot be drawn, why."""
        self._drawn += 1
        try:
            with np.errstate(all="ignore"):
                return embedded(draw(*data), description, self._drawn)
        except (ArithmeticError, ValueError) as error:  # numbers that no axis has room for
            return Markup("<p>{} (It cannot be drawn: {}.)</p>").format(
                description, text.printable(error)
            )

    def wide_plot(self, description: str, draw: Callable[..., Figure], *data: Any) -> Markup:
        """Return a plot that is as wide as the page: drawn twice, and the style sheet shows one.

        ``draw`` is given the width in inches after its data. Letters have one size on paper, so
        one drawing is legible on a screen and the other on a phone.
        """
        wide, narrow = (self.plot(description, draw, *data, width) for width in (WIDE, NARROW))
        return Markup('<div class="screen">{}</div><div class="phone">{}</div>').format(
            wide, narrow
        )
