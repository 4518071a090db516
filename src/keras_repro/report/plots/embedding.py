"""How a figure goes into the page, as SVG or, where that is large, as PNG; or into a file."""

import base64
import io
import re

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from keras_repro.report.plots.style import IN_THE_PAGE, STYLE

FORMATS = ("svg", "png", "pdf")
SMALL = 30_000  # bytes of SVG: a PNG would save little, and takes as long again to draw


def embedded(figure: Figure, description: str, number: int) -> Markup:
    """Return the figure as HTML: inline SVG, or a PNG where the SVG is large and that is smaller.

    ``number`` sets its ids apart from those of the page's other figures.
    """
    svg = _svg(figure, f"p{number}-", description)
    if len(svg) <= SMALL:
        return svg
    figure.set_layout_engine("none")  # its parts have their places by now
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
