"""How every page is rendered: what a run says is text, never HTML."""

from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from keras_repro.report.text import printable

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
    environment.filters.update(short=partial(printable, most=MOST_TEXT), printable=printable)
    return environment
