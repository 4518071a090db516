"""Tables for the terminal, made to be read at 80 columns."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.report import first_link
from keras_repro.report.matrix import Colour, status
from keras_repro.report.text import (
    asides,
    causes_line,
    count,
    difference,
    element,
    figure,
    index,
    note,
    printable,
    steps,
    verdict_counts,
    where,
)
from keras_repro.runs.causes import NOTHING, Cause
from keras_repro.runs.run import Run
from keras_repro.studies.check import Checked

if TYPE_CHECKING:  # they take as long to import as a backend takes to check
    from keras_repro.studies.compare_folders import Compared
    from keras_repro.studies.first_link.found import Traced

STYLES = {
    Verdict.IDENTICAL: "green",
    Verdict.CLOSE: "cyan",
    Verdict.CHAOTIC: "yellow",
}
BAD_STYLE = "bold red"
MOST_ROWS = 500  # of a table: Rich takes a second for two thousand
MOST_LEFT_OUT = 5  # arrays that could not be recorded
COLOURS = {Colour.GOOD: "green", Colour.CLOSE: "cyan", Colour.BAD: BAD_STYLE, Colour.NONE: ""}
WRAPPED = ("array", "result", "obtained", "after", "on this machine", "what changed")


def console(*, stderr: bool = False) -> Console:
    """Return where to print: what a run says is text there, never Rich's markup."""
    return _Console(stderr=stderr, markup=False, emoji=False, highlight=False)


class _Console(Console):
    """Rich's, which leaves a pipe that nobody reads to the command: its exit code says so."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 - the BrokenPipeError that is being handled


def print_heading(console: Console, workload: str) -> None:
    """Print which of several workloads what follows is of."""
    console.print(Text(f"\n{printable(workload)}", style="bold underline"))


def print_checked(console: Console, results: Sequence[Checked], verbose: bool = False) -> None:
    """Print a line for each backend.

    Where a backend is not as its baseline, and with ``verbose`` everywhere, a line for each array
    and what may be why follow.
    """
    width = max((len(result.backend.name) for result in results), default=0)
    for result in results:
        console.print(_verdict_line(result, width), soft_wrap=True)
        if result.exit_code or verbose:
            print_comparisons(console, result.comparisons, result.causes, result.trace)
        else:
            _print_asides(console, result.comparisons)
        if result.note:
            print_line(console, f"  {result.note}", style="yellow")
        if result.problem:
            print_problem(console, f"{result.backend.name}: {result.problem}")
        print_not_recorded(console, result.backend.name, result.run)
    summary = _summary(results)
    if not verbose and any(not r.exit_code and _differ(r.comparisons) for r in results):
        summary.append("; -v shows what is close", style="not bold default")
    print_line(console, summary)


def _verdict_line(result: Checked, width: int) -> Text:
    """Return the worst verdict on a backend, and how many arrays there are of each."""
    line = Text(f"{result.backend.name:<{max(width, 11)}}  ", style="bold")
    cell = status(result)
    line.append(f"{cell.word:<10}", style=f"not bold {COLOURS[cell.colour]}")
    if result.comparisons:
        count = len(result.comparisons)
        line.append(f"  {count} {'array' if count == 1 else 'arrays'}", style="not bold")
    if len({comparison.verdict for comparison in result.comparisons}) > 1:
        line.append(f": {verdict_counts(result.comparisons)}", style="not bold")
    if result.baseline is not None and result.baseline.folder.name != result.backend.name:
        line.append(f" ({printable(result.baseline.folder.name)})", style="not bold")
    line.rstrip()
    return line


def print_not_recorded(console: Console, backend: str, run: Run | None) -> None:
    """Print which arrays a run could not keep, and why."""
    left_out = {} if run is None else run.facts.not_recorded
    for name, why in list(left_out.items())[:MOST_LEFT_OUT]:
        print_problem(console, f"{backend}: {name} was not recorded: {why}")
    if len(left_out) > MOST_LEFT_OUT:
        rest = len(left_out) - MOST_LEFT_OUT
        print_problem(console, f"{backend}: {rest} more arrays were not recorded")


def print_compared(console: Console, result: "Compared") -> None:
    """Print how the second run differs from the first."""
    print_line(console, f"{shorter(result.expected)} -> {shorter(result.obtained)}")
    print_comparisons(console, result.comparisons, result.causes, result.trace)
    verdicts = verdict_counts(result.comparisons)
    style = BAD_STYLE if result.exit_code else "bold green"
    console.print(Text(f"{len(result.comparisons)} arrays: {verdicts}", style=style))


def print_without_trail(console: Console, results: Iterable[Checked]) -> None:
    """Print once of all backends whose baselines keep no trail that they do not."""
    line = first_link.without_trail(results)
    if line:
        print_line(console, line, style="yellow")


def print_comparisons(
    console: Console,
    comparisons: list[Comparison],
    causes: list[Cause] | None = None,
    trace: "Traced | None" = None,
) -> None:
    """Print a line an array, the details of those that drift, where they part, and why."""
    shown = most_telling(comparisons)
    if shown:
        console.print(comparison_table(shown))
    print_left_out(console, comparisons)
    details = [c for c in shown if not c.verdict.passes]
    if details:
        console.print(difference_table(details))
    _print_asides(console, comparisons)
    for sentence in filter(None, (steps(each, trace) for each in comparisons)):
        print_line(console, f"  {sentence}")
    print_trace(console, trace)
    if causes is not None and comparisons:
        print_causes(console, causes, _differ(comparisons))


def _print_asides(console: Console, comparisons: list[Comparison]) -> None:
    """Print which arrays are judged on a sample, or by what was measured, where any is."""
    for line in asides(comparisons):
        print_line(console, f"  {line}", style="yellow")


def print_trace(console: Console, trace: "Traced | None") -> None:
    """Print which link of two trails differs first, where one does."""
    line = first_link.sentence(trace)
    if line:
        print_line(console, Text(f"  {line}", style="bold"))


def most_telling(comparisons: list[Comparison]) -> list[Comparison]:
    """Return those that are printed: of more than a person reads, first those that do not pass."""
    if len(comparisons) <= MOST_ROWS:
        return comparisons
    return sorted(comparisons, key=lambda c: (c.verdict.passes, not c.differing))[:MOST_ROWS]


def print_left_out(console: Console, comparisons: list[Comparison]) -> None:
    """Print how many arrays are not shown, and how to see them, where not all are."""
    if len(comparisons) > MOST_ROWS:
        print_line(
            console,
            f"  … and {len(comparisons) - MOST_ROWS:,} more arrays; check --only PATTERN shows "
            "some of them, and --format json all",
        )


def _differ(comparisons: list[Comparison]) -> bool:
    return any(comparison.verdict is not Verdict.IDENTICAL for comparison in comparisons)


def print_causes(console: Console, causes: list[Cause], differ: bool = True) -> None:
    """Print which facts differ; where the numbers do too, as what may be why."""
    if not differ:
        if causes:
            print_line(
                console, f"  the same bits, though other facts differ: {causes_line(causes)}"
            )
        return
    if not causes:
        print_line(console, Text(f"  likely cause: {NOTHING}", style="yellow"))
        return
    first = Text("  likely cause: ")
    first.append(printable(causes[0]), style="bold")
    print_line(console, first)
    if causes[1:]:
        print_line(console, f"  also different: {causes_line(causes[1:])}")


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    """Return a line an array: verdict, largest differences, and where it first differs."""
    table = table_of("array", "verdict", "max abs", "max rel", "ulps", "first", gap=0)
    right(table, "max abs", "max rel", "ulps")
    for array in comparisons:
        table.add_row(
            array.name,
            Text(array.verdict, style=STYLES.get(array.verdict, BAD_STYLE)),
            figure(array.max_absolute),
            figure(array.max_relative),
            count(array.max_ulps),
            where(array),
        )
    return table


def difference_table(
    comparisons: Iterable[Comparison], sides: tuple[str, str] = ("obtained", "expected")
) -> Table:
    """Return a line for each array: where it is worst, and what stands there."""
    table = table_of("array", "worst at", *sides, "difference", gap=0)
    for array in comparisons:
        if array.worst is None:
            table.add_row(array.name, "", printable(note(array)), "", "")
            continue
        table.add_row(
            array.name,
            index(array.worst),
            element(array.obtained),
            element(array.expected),
            difference(array.obtained, array.expected),
        )
    return table


def table_of(*columns: str, gap: int = 1) -> Table:
    """Return an empty table; the box adds a space of its own between two columns."""
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for column in columns:
        # Numbers and names stay whole; what is long by nature wraps.
        table.add_column(column, overflow="fold", no_wrap=column not in WRAPPED)
    return table


def right(table: Table, *columns: str) -> None:
    """Have these columns of a table flush right."""
    for column in table.columns:
        if column.header in columns:
            column.justify = "right"


def _summary(results: Sequence[Checked]) -> Text:
    verdicts = verdict_counts(array for result in results for array in result.comparisons)
    good = sum(result.exit_code == 0 for result in results)
    text = f"{good} of {len(results)} backends as their baselines"
    text += f" ({verdicts})" if verdicts else ""
    return Text(text, style="bold green" if good == len(results) else BAD_STYLE)


def print_line(console: Console, text: str | Text, style: str | None = None) -> None:
    """Print a line; elsewhere than on a terminal in one piece, for what searches it."""
    console.print(text, style=style, soft_wrap=not console.is_terminal)


def print_problem(console: Console, text: str) -> None:
    """Print what went wrong; ``text`` may hold what a run said."""
    print_line(console, Text(printable(text), style="red"))


def shorter(path: Path) -> str:
    """Return a path as seen from the present folder where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
