"""Tables for the terminal, made to be read at 80 columns."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.backends import Backend
from keras_repro.engines import Availability
from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.recorder.contract import TEST, TRAIN, ArrayName, Kind
from keras_repro.report.history import history_lines
from keras_repro.report.text import (
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
from keras_repro.runs.baselines import HistoryEntry
from keras_repro.runs.causes import NOTHING, Cause
from keras_repro.runs.costs import final_cost
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.studies.accept import Proposal
from keras_repro.studies.check import Checked
from keras_repro.studies.compare_folders import Compared
from keras_repro.studies.train.nondeterminism import first_to_part
from keras_repro.studies.train.plan import Trained

STYLES = {
    Verdict.IDENTICAL: "green",
    Verdict.CLOSE: "cyan",
}
BAD_STYLE = "bold red"
WRAPPED = ("array", "result", "obtained", "after", "on this machine", "what changed")
MOST_SUSPECTS = 8
MOST_LEFT_OUT = 5
FEW = 2  # weights that are shown by value


def console(*, stderr: bool = False) -> Console:
    """Return where to print: what a run says is text there, never Rich's markup."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def trained_table(results: list[Trained]) -> Table:
    """Return the closing table of train."""
    table = table_of("backend", "versions", "final cost", "test cost", "weights", "s", "result")
    for name in ("final cost", "test cost", "weights", "s"):
        _column(table, name).justify = "right"
    for result in results:
        table.add_row(
            result.backend.name,
            _versions(result.backend),
            *_numbers(result.run),
            "" if result.skipped or not result.seconds else f"{result.seconds:.1f}",
            _result(result),
        )
    return table


def print_trained(console: Console, results: list[Trained]) -> None:
    """Print the table, where the runs lie, and what went wrong."""
    console.print(trained_table(results))
    for result in results:
        if result.run is not None:
            place = shorter(result.run.folder)
            print_line(console, f"{result.backend.name:<12} {place}/")
    for result in results:
        if result.problem:
            _problem(console, f"{result.backend.name}: {result.problem}")
        _print_not_recorded(console, result)
        _print_repeat(console, result)


def _print_not_recorded(console: Console, result: Trained) -> None:
    """Print which arrays a run could not keep, and why."""
    left_out = {} if result.run is None else result.run.facts.not_recorded
    for name, why in list(left_out.items())[:MOST_LEFT_OUT]:
        _problem(console, f"{result.backend.name}: {name} was not recorded: {why}")
    if len(left_out) > MOST_LEFT_OUT:
        rest = len(left_out) - MOST_LEFT_OUT
        _problem(console, f"{result.backend.name}: {rest} more arrays were not recorded")


def print_heading(console: Console, workload: str) -> None:
    """Print which of several workloads what follows is of."""
    console.print(Text(f"\n{printable(workload)}", style="bold underline"))


def _print_repeat(console: Console, result: Trained) -> None:
    """Print where a run parts from an earlier one of the same seed, and what may be why."""
    parted = first_to_part(result.repeat or [])
    if parted is None:
        return
    name = result.backend.name
    earlier = "run 1" if result.runs > 1 else "the run before it"
    this = f"run {result.runs}" if result.runs > 1 else "this run"
    others = sum(c.verdict is not Verdict.IDENTICAL for c in result.repeat or []) - 1
    rest = f"; {others} more arrays follow" if others else ""
    _problem(
        console,
        f"{name}: not deterministic: {this} parts from {earlier} in {parted.name} "
        f"{_when(parted)} ({parted.differing} of {parted.elements} values{rest}), though script, "
        f"seed and environment are the same{'' if result.runs > 1 else '; did its data change?'}",
    )
    if result.runs > 1:
        for suspect in result.suspects[:MOST_SUSPECTS]:
            print_line(console, f"  {printable(suspect)}", style="yellow")
        if not result.suspects:
            print_line(
                console,
                "  nothing in the script's own text explains it: look at generators, threads and "
                "clocks in what it imports",
                style="yellow",
            )
        if result.run is not None:
            folder = shorter(result.run.folder)
            first = folder.removesuffix(".repeat")
            print_line(console, f"  see both: keras-repro compare {first} {folder}")
    else:
        print_line(console, "  train it with --repeat 3 to see what in the script may be why")


def _when(comparison: Comparison) -> str:
    """Return when in a run an array differs, in words."""
    if ArrayName.parse(comparison.name).kind is Kind.INITIAL_WEIGHT:
        return "before the first step"
    if comparison.first_step is None or not comparison.first:
        return f"at {where(comparison)}" if comparison.first else f"({comparison.verdict})"
    return "at the first step" if comparison.first[0] == 0 else f"at step {comparison.first[0]}"


def print_checked(console: Console, results: list[Checked]) -> None:
    """Print one line an array, and the details of those that are not as they should be."""
    for result in results:
        console.print(Text(result.backend.name, style="bold"))
        print_comparisons(console, result.comparisons, result.causes)
        if result.note:
            print_line(console, f"  {result.note}", style="yellow")
        if result.problem:
            _problem(console, f"{result.backend.name}: {result.problem}")
    print_line(console, _summary(results))


def print_compared(console: Console, result: Compared) -> None:
    """Print how the second run differs from the first."""
    print_line(console, f"{shorter(result.expected)} -> {shorter(result.obtained)}")
    print_comparisons(console, result.comparisons, result.causes)
    verdicts = verdict_counts(result.comparisons)
    style = BAD_STYLE if result.exit_code else "bold green"
    console.print(Text(f"{len(result.comparisons)} arrays: {verdicts}", style=style))


def print_proposal(console: Console, proposal: Proposal, heading: str = "") -> None:
    """Print what accepting a run would change; ``heading`` goes before the backend's name."""
    console.print(Text(heading + proposal.backend.name, style="bold"))
    if proposal.stale:
        script = printable(proposal.run.facts.script)
        print_line(
            console,
            f"  mind: {script} was changed since this run was made; train it again to accept what "
            "it computes now",
            style="yellow",
        )
    if proposal.before is None:
        names = ", ".join(proposal.run.arrays)
        print_line(console, f"  a first baseline: {names}")
        return
    changed = [c for c in proposal.comparisons if c.verdict is not Verdict.IDENTICAL]
    if not changed:
        console.print("  the numbers stay as they are, to the bit")
    else:
        console.print(comparison_table(changed))
        console.print(difference_table(changed, ("after", "before")))
    _print_causes(console, proposal.causes, bool(changed))


def print_history(console: Console, histories: Mapping[str, list[HistoryEntry]]) -> None:
    """Print how each backend's baseline came to be, the oldest acceptance first."""
    for backend, entries in histories.items():
        console.print(Text(backend, style="bold"))
        table = table_of("accepted", "final cost", "", "what changed")
        _column(table, "final cost").justify = "right"
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


def print_comparisons(
    console: Console, comparisons: list[Comparison], causes: list[Cause] | None = None
) -> None:
    """Print a line an array, the details of those that drift, and what may be why."""
    if comparisons:
        console.print(comparison_table(comparisons))
    details = [c for c in comparisons if not c.verdict.passes]
    if details:
        console.print(difference_table(details))
    for sentence in filter(None, map(steps, comparisons)):
        print_line(console, f"  {sentence}")
    if causes is not None and comparisons:
        differ = any(c.verdict is not Verdict.IDENTICAL for c in comparisons)
        _print_causes(console, causes, differ)


def _print_causes(console: Console, causes: list[Cause], differ: bool = True) -> None:
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
    for name in ("max abs", "max rel", "ulps"):
        _column(table, name).justify = "right"
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


def table_of(*columns: str, gap: int = 1) -> Table:
    """Return an empty table; the box adds a space of its own between two columns."""
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for column in columns:
        # Numbers and names stay whole; what is long by nature wraps.
        table.add_column(column, overflow="fold", no_wrap=column not in WRAPPED)
    return table


def _column(table: Table, name: str) -> Any:
    return next(column for column in table.columns if column.header == name)


def _result(result: Trained) -> Text:
    if result.exit_code and result.repeats is not False:
        return Text("FAILED", style=BAD_STYLE)
    if result.skipped:
        return Text("up to date", style="green")
    if result.repeats is None:
        return Text("trained", style="green")
    if result.repeats:
        times = f"\n{result.runs} runs" if result.runs > 1 else ""
        return Text(f"same bits{times}", style="green")
    return Text("NOT REPEATED", style=BAD_STYLE)


def _summary(results: list[Checked]) -> Text:
    verdicts = verdict_counts(array for result in results for array in result.comparisons)
    good = sum(result.exit_code == 0 for result in results)
    text = f"{good} of {len(results)} backends as their baselines"
    text += f" ({verdicts})" if verdicts else ""
    return Text(text, style="bold green" if good == len(results) else BAD_STYLE)


def print_line(console: Console, text: str | Text, style: str | None = None) -> None:
    """Print a line; elsewhere than on a terminal in one piece, for what searches it."""
    console.print(text, style=style, soft_wrap=not console.is_terminal)


def _problem(console: Console, text: str) -> None:
    print_line(console, Text(printable(text), style="red"))


def _versions(backend: Backend) -> str:
    """Return the framework's line and Keras', of the title "Keras 2.3.1 on Theano 1.0.5"."""
    return backend.title.replace(" on ", "\n")


def shorter(path: Path) -> str:
    """Return a path as seen from the present folder where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _numbers(run: Run | None) -> tuple[str, str, str]:
    """Return a run's final costs and its weights in short, nothing where they cannot be read."""
    if run is None or not run.facts.completed:
        return "", "", ""
    try:
        return _cost(run.arrays, TRAIN), _cost(run.arrays, TEST), _weights(run.arrays)
    except KerasReproError:
        return "", "", ""


def _cost(arrays: Mapping[str, Stored], phase: str) -> str:
    cost = final_cost(arrays, phase)
    return "" if cost is None else f"{cost:.5g}"


def _weights(arrays: Mapping[str, Stored]) -> str:
    weights = [a for name, a in arrays.items() if ArrayName.parse(name).kind is Kind.WEIGHT]
    count = sum(array.size for array in weights)
    if 0 < count <= FEW:
        return "\n".join(f"{value:.5g}" for array in weights for value in np.ravel(array.load()))
    return f"{count:,}\n{len(weights)} arrays" if weights else ""
