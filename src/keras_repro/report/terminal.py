"""Tables for the terminal, made to be read at 80 columns."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.backends import Backend
from keras_repro.compare import Comparison, Verdict
from keras_repro.engines import Availability
from keras_repro.recorder import layout
from keras_repro.runs import Arrays, Run
from keras_repro.studies.check import Checked
from keras_repro.studies.train import Trained

STYLES = {
    Verdict.IDENTICAL: "green",
    Verdict.CLOSE: "cyan",
}
BAD_STYLE = "bold red"
WRAPPED = ("array", "result", "obtained", "on this machine")
FEW = 2  # weights that are shown by value


def trained_table(results: list[Trained]) -> Table:
    """Return the closing table of train."""
    table = _table("backend", "versions", "final cost", "test cost", "weights", "s", "result")
    for name in ("final cost", "test cost", "weights", "s"):
        _column(table, name).justify = "right"
    for result in results:
        arrays = result.run.arrays if result.run and result.run.facts.completed else {}
        table.add_row(
            result.backend.name,
            _versions(result.backend),
            _last(arrays, layout.TRAIN_COSTS),
            _last(arrays, layout.TEST_COSTS),
            _weights(arrays),
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
            console.print(f"{result.backend.name:<12} {place}/", soft_wrap=True, highlight=False)
    for result in results:
        if result.problem:
            _problem(console, f"{result.backend.name}: {result.problem}")
        for array in result.repeat or []:
            if array.verdict is not Verdict.IDENTICAL:
                _problem(
                    console,
                    f"{result.backend.name}: {array.name} did not come out the same again "
                    f"({array.differing} of {array.elements} values, the first at "
                    f"{_index(array)}), though nothing recorded changed: "
                    "is something in the script not seeded?",
                )


def print_checked(console: Console, results: list[Checked]) -> None:
    """Print one line an array, and the details of those that are not as they should be."""
    for result in results:
        console.print(Text(result.backend.name, style="bold"))
        if result.comparisons:
            console.print(comparison_table(result.comparisons))
        details = [c for c in result.comparisons if not c.verdict.passes]
        if details:
            console.print(difference_table(details))
        if result.note:
            console.print(f"  {result.note}", style="yellow", soft_wrap=True, highlight=False)
        if result.problem:
            _problem(console, f"{result.backend.name}: {result.problem}")
    console.print(_summary(results), soft_wrap=True, highlight=False)


def print_proposal(
    console: Console, backend: Backend, run: Run, comparisons: list[Comparison] | None
) -> None:
    """Print what accepting a run would change."""
    console.print(Text(backend.name, style="bold"))
    if comparisons is None:
        names = ", ".join(run.arrays)
        console.print(f"  a first baseline: {names}", soft_wrap=True, highlight=False)
        return
    changed = [c for c in comparisons if c.verdict is not Verdict.IDENTICAL]
    if not changed:
        console.print("  the numbers stay as they are, to the bit")
        return
    console.print(comparison_table(changed))
    console.print(difference_table(changed))


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    """Return a line an array: verdict, largest differences, and where it first differs."""
    table = _table("array", "verdict", "max abs", "max rel", "ulps", "first")
    for name in ("max abs", "max rel", "ulps"):
        _column(table, name).justify = "right"
    for array in comparisons:
        table.add_row(
            array.name,
            Text(array.verdict, style=STYLES.get(array.verdict, BAD_STYLE)),
            _figure(array.max_absolute),
            _figure(array.max_relative),
            "" if array.max_ulps is None else _count(array.max_ulps),
            _index(array),
        )
    return table


def difference_table(comparisons: Iterable[Comparison]) -> Table:
    """Return a line for each array that fails: where it is worst, and what stands there."""
    table = _table("array", "worst at", "obtained", "expected", "difference")
    for array in comparisons:
        if array.note:
            table.add_row(array.name, "", array.note, "", "")
            continue
        worst = "" if array.worst is None else _place(array.worst)
        table.add_row(
            array.name,
            worst,
            _value(array.obtained),
            _value(array.expected),
            _difference(array.obtained, array.expected),
        )
    return table


def backends_table(rows: list[tuple[Backend, Availability]]) -> Table:
    """Return the table of backends, what each is pinned to and whether it can run here."""
    table = _table("backend", "Python", "pinned to", "on this machine")
    for backend, availability in rows:
        state = Text(availability.state, style="green" if availability.ready else BAD_STYLE)
        if availability.remedy:
            state.append(f"\n{availability.remedy}", style="default not bold")
        pins = "\n".join(f"{name} {version}" for name, version in backend.pins.items())
        table.add_row(backend.name, backend.python, pins, state)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
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
        return Text("same bits", style="green")
    return Text("NOT REPEATED", style=BAD_STYLE)


def _summary(results: list[Checked]) -> Text:
    counts: dict[str, int] = {}
    for result in results:
        for array in result.comparisons:
            counts[array.verdict] = counts.get(array.verdict, 0) + 1
    good = sum(result.exit_code == 0 for result in results)
    parts = [f"{count} {verdict}" for verdict, count in sorted(counts.items())]
    text = f"{good} of {len(results)} backends as their baselines"
    text += f" ({', '.join(parts)})" if parts else ""
    return Text(text, style="bold green" if good == len(results) else BAD_STYLE)


def _problem(console: Console, text: str) -> None:
    console.print(Text(text, style="red"), soft_wrap=True)


def _versions(backend: Backend) -> str:
    """Return the framework's line and Keras', of the title "Keras 2.3.1 on Theano 1.0.5"."""
    return backend.title.replace(" on ", "\n")


def shorter(path: Path) -> str:
    """Return a path as seen from the present folder where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _last(arrays: Arrays, name: str) -> str:
    array = arrays.get(name)
    return "" if array is None or not array.size else f"{array.reshape(-1)[-1]:.5g}"


def _weights(arrays: Arrays) -> str:
    weights = [array for name, array in arrays.items() if name.startswith(layout.WEIGHTS + "/")]
    count = sum(array.size for array in weights)
    if 0 < count <= FEW:
        return "\n".join(f"{value:.5g}" for array in weights for value in np.ravel(array))
    return f"{count:,} in {len(weights)} arrays" if weights else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2e}"


def _count(value: int) -> str:
    return f"{value:,}" if value < 1_000_000 else f"{value:.1e}"


def _value(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _difference(obtained: Any, expected: Any) -> str:
    try:
        return f"{abs(obtained - expected):.3g}"
    except TypeError:
        return ""


def _index(array: Comparison) -> str:
    if array.first is None:
        return ""
    if array.name.endswith(layout.TRAIN_COSTS):
        return f"step {array.first[0]}"
    return _place(array.first)


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"
