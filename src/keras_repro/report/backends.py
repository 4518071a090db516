"""What backends prints."""

from rich.table import Table
from rich.text import Text

from keras_repro.backends import Backend
from keras_repro.engines import Availability
from keras_repro.report.terminal import BAD_STYLE, table_of


def backends_table(rows: list[tuple[Backend, Availability]]) -> Table:
    """Return the table of backends, what each is pinned to and whether it can run here."""
    table = table_of("backend", "Python", "pinned to", "on this machine")
    for backend, availability in rows:
        state = Text(availability.state, style="green" if availability.ready else BAD_STYLE)
        if availability.remedy:
            state.append(f"\n{availability.remedy}", style="default not bold")
        pins = "\n".join(f"{name} {version}" for name, version in backend.pins.items())
        table.add_row(backend.name, backend.python, pins, state)
    return table
