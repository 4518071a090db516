"""The first link that differs, and the trail in a row, in words for every format."""

from collections.abc import Iterable

from keras_repro.report.matrix import Cell, Colour
from keras_repro.report.text import joined, printable
from keras_repro.studies.check import Checked
from keras_repro.studies.first_link.found import State, Traced

LONGEST = 600
CELLS = {
    State.SAME: ("=", Colour.GOOD),
    State.CLOSE: ("≈", Colour.CLOSE),
    State.DIFFERS: ("≠", Colour.BAD),
    State.UNKNOWN: ("?", Colour.NONE),
}


def sentence(trace: Traced | None) -> str:
    """Return which link differs first; nothing where none does, or no trail is there."""
    if trace is None:
        return ""
    if trace.problem:
        return f"the first link that differs cannot be named: {printable(trace.problem)}"
    if trace.first is None:
        return ""
    return f"first link that differs: {printable(trace.first, LONGEST)}"


def row(trace: Traced | None) -> list[tuple[str, Cell]]:
    """Return the trail's parts in the order of time, each with what became of it.

    Where every array is the same, a part that differs is nothing bad.
    """
    if trace is None or not trace.chain:
        return []
    cells = dict(CELLS)
    if trace.chain[-1].state is State.SAME:
        cells[State.DIFFERS] = ("≠", Colour.NONE)
    return [(one.name, Cell(str(one.state), *cells[one.state])) for one in trace.chain]


def without_trail(results: Iterable[Checked]) -> str:
    """Return in a line which baselines keep no trail; nothing where none is to be missed."""
    names = list(dict.fromkeys(r.backend.name for r in results if r.lacks_trail))
    if not names:
        return ""
    keep = "the baseline of {} keeps" if len(names) == 1 else "the baselines of {} keep"
    them = "it" if len(names) == 1 else "them"
    return (
        f"{keep.format(joined(names))} no trail: the first link that differs cannot be named; "
        f"accept {them} anew with this version"
    )
