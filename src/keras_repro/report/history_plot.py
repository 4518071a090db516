"""A file with the final costs over the acceptances of each baseline."""

from collections.abc import Mapping
from pathlib import Path

from keras_repro.atomic import write_whole
from keras_repro.errors import UsageError
from keras_repro.report.plots.costs import final_costs
from keras_repro.report.plots.embedding import FORMATS, drawn
from keras_repro.runs.chain import HistoryEntry


def write_history_plot(path: Path, histories: Mapping[str, list[HistoryEntry]]) -> None:
    """Draw the final costs over the acceptances into ``path``.

    Raises:
        CannotWriteError: it cannot be written.
        UsageError: the name does not say which of the known formats it is to have.
    """
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise UsageError(f"cannot draw {path}: name a file that ends with .svg, .png or .pdf")
    costs = {name: [entry.final_cost for entry in entries] for name, entries in histories.items()}
    write_whole(path, drawn(final_costs(costs), form))
