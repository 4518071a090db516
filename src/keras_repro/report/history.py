"""How a baseline came to be, in words and on the terminal."""

from collections.abc import Mapping

from rich.bar import Bar
from rich.console import Console
from rich.text import Text

from keras_repro.report.terminal import right, table_of
from keras_repro.report.text import figure, printable
from keras_repro.runs.chain import HistoryEntry

MOST = 4


def history_lines(entry: HistoryEntry) -> list[str]:
    """Return what an acceptance changed: the numbers, then the facts, then the environment."""
    lines = [_numbers(entry)]
    if entry.only:
        lines.append("only " + ", ".join(map(printable, entry.only)))
    if entry.changed_facts:
        lines.append(_shortened([printable(fact) for fact in entry.changed_facts]))
    if entry.environment and entry.changes is None:
        lines.append(
            ", ".join(f"{printable(k)} {printable(v)}" for k, v in entry.environment.items())
        )
    return lines


def _numbers(entry: HistoryEntry) -> str:
    if entry.changes is None:
        return "the first baseline"
    if not entry.changes:
        measured = ", with tolerances that were measured" if entry.calibration_sha256 else ""
        return f"the same numbers, to the bit{measured}"
    changes = []
    for change in entry.changes:
        text = f"{printable(change.name)} {change.verdict}"
        if isinstance(change.max_absolute, int | float):
            text += f" by {figure(change.max_absolute)}"
        if change.max_ulps is not None:
            text += f" ({change.max_ulps:,} ulps)"
        changes.append(text)
    return _shortened(changes)


def _shortened(parts: list[str]) -> str:
    rest = f", and {len(parts) - MOST} more" if len(parts) > MOST else ""
    return ", ".join(parts[:MOST]) + rest


def print_history(console: Console, histories: Mapping[str, list[HistoryEntry]]) -> None:
    """Print how each backend's baseline came to be, the oldest acceptance first."""
    for backend, entries in histories.items():
        console.print(Text(backend, style="bold"))
        table = table_of("accepted", "final cost", "", "what changed")
        right(table, "final cost")
        largest = max((abs(entry.final_cost or 0.0) for entry in entries), default=0.0)
        largest = largest or 1.0
        for entry in entries:
            cost = entry.final_cost
            what = Text(printable(entry.reason), style="bold")
            for line in history_lines(entry):
                what.append(f"\n{line}", style="not bold")
            table.add_row(
                printable(entry.accepted[:16]).replace("T", "\n"),
                "" if cost is None else f"{cost:.6g}",
                Bar(1.0, 0, abs(cost or 0.0) / largest, width=12, color="cyan"),
                what,
            )
        console.print(table)
