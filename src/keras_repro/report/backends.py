"""What backends prints."""

from rich.table import Table
from rich.text import Text

from keras_repro.backends import Backend
from keras_repro.engines import Availability
from keras_repro.report.terminal import BAD_STYLE, table_of
from keras_repro.runs.run import NumericClass


def backends_table(rows: list[tuple[Backend, Availability, NumericClass | None]]) -> Table:
    """Return the table of backends, what each is pinned to and whether it can run here.

    The last column, of numeric classes, is there where one is known.
    """
    known = any(numeric_class for _, _, numeric_class in rows)
    more = ["numeric class"] if known else []
    table = table_of("backend", "Python", "pinned to", "on this machine", *more)
    for backend, availability, numeric_class in rows:
        state = Text(availability.state, style="green" if availability.ready else BAD_STYLE)
        if availability.remedy:
            state.append(f"\n{availability.remedy}", style="default not bold")
        pins = "\n".join(f"{name} {version}" for name, version in backend.pins.items())
        short = [numeric_class.short if numeric_class else "not known"] if known else []
        table.add_row(backend.name, backend.python, pins, state, *short)
    return table
