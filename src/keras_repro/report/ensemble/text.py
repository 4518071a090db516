"""Ensembles, and the decision on two of them, for the terminal."""

import math

from rich.console import Console
from rich.text import Text

from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Decision, Found
from keras_repro.report.ensemble import words
from keras_repro.report.ensemble.words import number
from keras_repro.report.terminal import (
    BAD_STYLE,
    COLOURS,
    print_line,
    print_problem,
    right,
    shorter,
    table_of,
)
from keras_repro.report.text import causes_line, printable
from keras_repro.runs.ensemble import EnsembleFacts
from keras_repro.studies.ensemble.ensemble import Result
from keras_repro.studies.ensemble.equivalent import Compared, Side

MOST_FAILED = 5
LONGEST_NAME = 23


def print_ensemble(console: Console, result: Result) -> None:
    """Print a row for each scalar, and what was the same for all seeds."""
    if result.facts is not None:
        _print_scalars(console, result.facts)
    style = "yellow" if result.alike.everything or result.alike.data else ""
    print_line(console, f"  {words.same_for_all(result)}", style=style or None)
    if forks := words.forks(result):
        print_line(console, f"  {forks}")
    if classes := words.classes(result):
        print_line(console, f"  {classes}", style="yellow")
    for one in result.failed[:MOST_FAILED]:
        print_problem(console, f"  seed {one.seed} failed: {one.problem}")
    if len(result.failed) > MOST_FAILED:
        print_problem(console, f"  … and {len(result.failed) - MOST_FAILED} more failed")
    print_line(console, words.counts(result))


def _print_scalars(console: Console, facts: EnsembleFacts) -> None:
    table = table_of("scalar", "counts", "mean", "deviation", "margin", "apart", gap=0)
    right(table, "mean", "deviation", "margin", "apart")
    for name, scalar in facts.scalars.items():
        values = scalar.as_array()
        near = values[ordinary(values)]
        mean, deviation = (near.mean(), near.std(ddof=1)) if len(near) > 1 else (near.sum(), 0.0)
        apart = len(values) - len(near)
        table.add_row(
            printable(name, LONGEST_NAME),
            "yes" if scalar.primary else "",
            number(float(mean)) if len(near) else "none",
            number(float(deviation)),
            number(scalar.margin.value),
            str(apart) if apart else "",
        )
    console.print(table)


def print_compared(console: Console, compared: Compared) -> None:
    """Print a row for each scalar, why each that counts is what it is, and how good that is."""
    print_line(console, f"  expected: {side(compared.expected)}")
    print_line(console, f"  obtained: {side(compared.obtained)}")
    table = table_of("scalar", "verdict", "expected", "obtained", "interval", "margin", gap=0)
    right(table, "expected", "obtained", "margin")
    for one in compared.found:
        table.add_row(*row(one))
    console.print(table)
    tests = words.tests_of(compared)
    for one in compared.found:
        if one.scalar.primary or one.decision is Decision.DIFFERENT:
            for line in words.reasons(one, tests):
                print_line(console, f"  {printable(one.name)}: {line}")
    if compared.left_out:
        names = ", ".join(map(printable, compared.left_out))
        print_line(console, f"  only one side has {names}", style="yellow")
    for line in words.power(compared):
        print_line(console, f"  {line}")
    if compared.causes:
        print_line(console, f"  also different: {causes_line(compared.causes)}")
    answer = words.headline(compared)
    colour = COLOURS[words.cell(compared.decision).colour]
    style = BAD_STYLE if compared.decision is Decision.DIFFERENT else f"bold {colour}"
    print_line(console, Text(f"{answer[0].upper()}{answer[1:]}", style=style))


def side(one: Side) -> str:
    """Return what an ensemble is of, how many seeds it has, and where it lies where it is kept."""
    accepted = ", accepted" if one.facts.history else ""
    what = f"{printable(one.name)}, {len(one.facts.seeds)} seeds{accepted}"
    return what if one.path is None else f"{what} ({printable(shorter(one.path))})"


def row(found: Found) -> tuple[str | Text, ...]:
    """Return a scalar as cells of a table; a star marks what counts."""
    cell = words.cell(found.decision)
    star = "*" if found.scalar.primary else " "
    known = math.isfinite(found.difference)
    return (
        f"{star}{printable(found.name, LONGEST_NAME)}",
        Text(cell.word, style=COLOURS[cell.colour]),
        number(found.means[0]) if known else "",
        number(found.means[1]) if known else "",
        words.interval(found) if known else "",
        number(found.scalar.margin.value),
    )
