"""A search for the change, for the terminal and as text to paste."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.engines import Engine
from keras_repro.numbers.comparison import Verdict
from keras_repro.report.bisect import chance
from keras_repro.report.bisect.answers import answers, explanation_lines, headline, reproduce
from keras_repro.report.bisect.points import tried_line
from keras_repro.report.first_link import sentence
from keras_repro.report.terminal import (
    print_comparisons,
    print_heading,
    print_line,
    right,
    table_of,
)
from keras_repro.report.text import figure, printable, steps
from keras_repro.runs.costs import final_cost
from keras_repro.studies.bisect.distribution import DISTRIBUTION, Sampled
from keras_repro.studies.bisect.search import Bisection, Change, Search
from keras_repro.studies.prune import Kept

LONGEST_NAME = 23
# Differences that no figure tells the size of.
OF_KIND = {verdict for verdict in Verdict if not verdict.passes} - {Verdict.DRIFT}


def print_start(console: Console, search: Search, tolerance: str | float) -> None:
    """Print what is searched, and what counts as the same."""
    same = {"identical": "the same bits", "baseline": "the baseline's tolerances"}
    judge = chance.by_seeds(search)
    if judge is not None:
        same[DISTRIBUTION] = f"the same distribution, as far as {judge.most} seeds can tell"
    skipped = sum(bool(point.problem) for point in search.points)
    rest = f", {skipped} of them for another Python or platform" if skipped else ""
    print_line(
        console,
        f"{search.range.name} {search.points[0].label} to {search.points[-1].label}: "
        f"{len(search.points)} {search.range.unit}s{rest}; good is {search.range.good}; "
        f"{same.get(str(tolerance), f'rtol {tolerance}')}",
    )


def print_learnt(console: Console, search: Search) -> None:
    """Print what a search that was interrupted knows; what it tried is kept."""
    print_line(console, f"{tried_line(search)}; the same command goes on from here", "yellow")
    for kind in search.kinds:
        bracket = search.bracket(kind)
        if bracket is not None:
            good, bad = search.points[bracket.good].label, search.points[bracket.bad].label
            name = search.range.name
            what = chance.kinds_change(search, (kind,))
            print_line(console, f"  {what} between {name} {good} and {bad}")


def print_bisection(console: Console, result: Bisection, kept: Kept) -> None:
    """Print the answer, then what it rests on: a table, or the two sides of each change."""
    search = result.search
    for number, line in enumerate(_sentences(result)):
        style = "bold red" if result.changes else "bold green"
        print_line(console, printable(line), None if number else style)
    if search.every:
        console.print(history_table(result))
    for change in result.changes:
        good, bad = (search.points[at].label for at in (change.bracket.good, change.bracket.bad))
        reasons = explanation_lines(change.explanation)
        told = sentence(change.trace)
        if search.every:
            reasons += [told] if told else []
            for line in reasons:
                print_line(console, f"  {bad}: {printable(line)}", "yellow")
            continue
        print_heading(console, f"{search.range.name} {good} -> {bad}")
        if chance.by_seeds(search) is None:
            print_comparisons(console, change.comparisons, trace=change.trace)
        else:
            _print_scalars(console, chance.change_of(search, change))
        for line in reasons:
            print_line(console, f"  {printable(line)}", "yellow")
        again = "each side, and the two compared:"
        if chance.by_seeds(search) is not None:
            again = "the two again, from what is kept:"
        print_line(console, f"  {again}")
        for line in reproduce(result, change):
            console.print(f"    {line}", soft_wrap=True)
    for line in chance.sureness(result):
        print_line(console, line)
    print_line(console, tried_line(search))
    if kept.environments or kept.runs:
        environments = f"{kept.environments} environments and {kept.runs} runs"
        size = f"{kept.bytes / 1e9:.1f} GB" if kept.bytes > 1e8 else f"{kept.bytes / 1e6:.0f} MB"
        rest = "keras-repro prune removes them"
        print_line(console, f"kept for the next question: {environments}, {size}; {rest}", "dim")


def _print_scalars(console: Console, one: Sampled) -> None:
    table = table_of(*chance.COLUMNS, gap=0)
    right(table, *chance.COLUMNS[2:])
    for found in one.found:
        name, *rest = chance.row(found)
        table.add_row(printable(name, LONGEST_NAME), *rest)
    console.print(table)
    for line in chance.reasons(one):
        print_line(console, f"  {line}")


def _sentences(result: Bisection) -> list[str]:
    """Return the answer: the one line of it, and what there is to say besides."""
    first = headline(result)
    return [first, *(line for line in answers(result) if line != first)]


@dataclass(frozen=True)
class HistoryRow:
    """A line of the history: a release that has numbers, against the one before it that has."""

    label: str
    date: str
    cost: float | None
    difference: float | None
    changed: str


def history_rows(result: Bisection) -> list[HistoryRow]:
    """Return a line for each release that was tried and has numbers."""
    search = result.search
    rows, before = [], None
    for at, point in enumerate(search.points):
        if not point.told or point.trial is None or point.trial.run is None:
            continue
        difference, changed = None, ""
        if before is not None:
            comparisons = search.between(before, at)
            sizes = [c.max_relative for c in comparisons if c.max_relative is not None]
            of_kind = {c.verdict for c in comparisons if c.verdict in OF_KIND}
            difference = max(sizes, default=None if of_kind else 0.0)
            outcome = search.judge.outcome(comparisons)
            changed = ", ".join(sorted(kind for kind, differs in outcome.items() if differs))
            changed += f" ({', '.join(sorted(of_kind))})" if of_kind else ""
        cost = final_cost(point.trial.run.arrays)
        rows.append(HistoryRow(point.label, point.detail, cost, difference, changed))
        before = at
    return rows


def history_table(result: Bisection) -> Table:
    """Return the history of the numbers over the releases."""
    table = table_of("release", "of", "final cost", "max rel", "what changed")
    for row in history_rows(result):
        table.add_row(
            row.label,
            row.date,
            "" if row.cost is None else f"{row.cost:.9g}",
            figure(row.difference),
            Text(row.changed, style="bold red" if row.changed else "default"),
        )
    return table


def summary(result: Bisection, engine: Engine) -> str:
    """Return the answer as Markdown, without links, to paste into an issue."""
    search, place, backend = result.search, result.range.place, result.range.backend
    first, *rest = _sentences(result)
    lines = [
        f"**{printable(first)}**",
        *(["", *(f"- {printable(s)}" for s in rest)] if rest else []),
    ]
    lines += [
        "",
        f"`{printable(place.argument or place.workload)}` on {backend.name}, seed "
        f"{place.of.conditions.seed}, Python {backend.python}, engine {engine.name}; "
        f"{tried_line(search)}.",
    ]
    sure = chance.sureness(result)
    lines += ["", *(f"- {line}" for line in sure)] if sure else []
    for change in result.changes:
        labels = [search.points[at].label for at in (change.bracket.good, change.bracket.bad)]
        lines += ["", f"{result.range.name} {labels[0]} → {labels[1]}:", ""]
        lines += _evidence(search, change)
        told = [sentence(change.trace), *(steps(c, change.trace) for c in change.comparisons)]
        lines += ["", *(f"- {printable(s)}" for s in told if s)]
        lines += [f"- {printable(s)}" for s in explanation_lines(change.explanation)]
        lines += ["", "```sh", *reproduce(result, change)[:2], "```"]
    return "\n".join(lines)


def _evidence(search: Search, change: Change) -> list[str]:
    """Return a table in Markdown: of arrays, or, where many seeds were compared, of scalars."""
    if chance.by_seeds(search) is not None:
        found = chance.change_of(search, change).found
        rows = [" | ".join(map(printable, chance.row(one))) for one in found]
        head = " | ".join(chance.COLUMNS)
        return [f"| {head} |", "|---|---|--:|--:|--:|", *(f"| {row} |" for row in rows)]
    return [
        "| array | verdict | max abs | max rel |",
        "|---|---|---|---|",
        *(
            f"| {printable(c.name)} | {c.verdict} | {figure(c.max_absolute)} "
            f"| {figure(c.max_relative)} |"
            for c in change.comparisons
        ),
    ]
