"""What the numbers depend on, for the terminal."""

from rich.console import Console
from rich.text import Text

from keras_repro.report.terminal import (
    BAD_STYLE,
    COLOURS,
    print_line,
    print_problem,
    right,
    shorter,
    table_of,
)
from keras_repro.report.text import printable
from keras_repro.report.vary import words
from keras_repro.studies.vary.found import Result, State
from keras_repro.studies.vary.variations import Variation

MOST_LINKS = 5


def print_list(console: Console, asked: list[Variation]) -> None:
    """Print which variations there are."""
    table = table_of("variation", "what is varied", "after")
    for one in asked:
        table.add_row(one.name, one.factor, f"skipped: {one.skipped}" if one.skipped else "")
    table.columns[2].header = ""
    console.print(table)


def print_result(console: Console, result: Result) -> None:
    """Print a row for each variation that moves something, what moves nothing, what was skipped."""
    rows = words.rows(result)
    if rows:
        table = table_of("variation", "result", "arrays moved", "largest", "first", gap=0)
        right(table, "arrays moved", "largest")
        for name, state, arrays, largest, first in rows:
            style = COLOURS[words.cell(state).colour]
            table.add_row(
                name, Text(str(state), style=style), arrays, largest, printable(first, 24)
            )
        console.print(table)
    for line in filter(None, [words.unmoved(result)]):
        print_line(console, f"  {line}")
    for names, why in words.left_out(result):
        print_line(console, f"  skipped: {names}: {why}", style="yellow")
    links = [(v.variation.name, words.link(v)) for v in result.varied if words.link(v)]
    for name, link in links[:MOST_LINKS]:
        print_line(console, f"  {name}: {link}")
    for one in result.of(State.FAILED):
        print_problem(console, f"{one.variation.name} failed: {one.problem}")
    print_line(
        console, f"  tolerances: {result.tolerances}; runs: {shorter(result.base.folder.parent)}"
    )
    print_line(console, words.counts(result))
    answer = words.headline(result)
    style = BAD_STYLE if result.exit_code else "bold green"
    print_line(console, Text(f"{answer[0].upper()}{answer[1:]}", style=style))
