"""How a baseline came to be, in words."""

from keras_repro.report.text import figure, printable
from keras_repro.runs.baselines import HistoryEntry

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
        return "the same numbers, to the bit"
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
