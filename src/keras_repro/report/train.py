"""What train prints: the closing table, where the runs lie, and what went wrong."""

from collections.abc import Mapping

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.backends import Backend
from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.recorder.contract import TEST, TRAIN, ArrayName, Kind
from keras_repro.report.terminal import (
    BAD_STYLE,
    print_line,
    print_not_recorded,
    print_problem,
    print_trace,
    right,
    shorter,
    table_of,
)
from keras_repro.report.text import printable, where
from keras_repro.runs.costs import final_cost
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.train.moved import moved_by_imports
from keras_repro.studies.train.nondeterminism import first_to_part
from keras_repro.studies.train.plan import Trained

MOST_SUSPECTS = 8
FEW = 2  # weights that are shown by value


def trained_table(results: list[Trained]) -> Table:
    """Return the closing table of train."""
    table = table_of("backend", "versions", "final cost", "test cost", "weights", "s", "result")
    right(table, "final cost", "test cost", "weights", "s")
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
            print_problem(console, f"{result.backend.name}: {result.problem}")
        _print_left(console, result)
        for moved in [] if result.skipped else moved_by_imports(result.run):
            print_line(console, Text(printable(f"{result.backend.name}: {moved}"), style="yellow"))
        _print_left_out(console, result)
        print_not_recorded(console, result.backend.name, result.run)
        _print_repeat(console, result)


def _print_left(console: Console, result: Trained) -> None:
    """Print where that lies which runs replaced and which could not be removed."""
    for left in result.left:
        text = (
            f"{result.backend.name}: the run stands, but what it replaced could not be removed; "
            f"until the next run, what is left of it lies in {shorter(left)}"
        )
        print_line(console, Text(printable(text), style="yellow"))


def _print_left_out(console: Console, result: Trained) -> None:
    """Print which portable settings did not work here."""
    left_out = {} if result.run is None else result.run.facts.portable_left_out
    for library, why in left_out.items():
        text = f"{result.backend.name}: not portable: the setting of {library} is left out: {why}"
        print_line(console, Text(printable(text), style="yellow"))


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
    judged = parted.sample or parted.elements
    print_problem(
        console,
        f"{name}: not deterministic: {this} parts from {earlier} in {parted.name} "
        f"{_when(parted)} ({parted.differing} of {judged} values{rest}), though script, "
        f"seed and environment are the same{'' if result.runs > 1 else '; did its data change?'}",
    )
    print_trace(console, result.trace)
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
        held = result.run is not None and result.run.facts.hermetic
        if any(suspect.is_held for suspect in result.suspects) and not held:
            print_line(
                console,
                "  --hermetic makes clock, entropy, process id and order of folders a function of "
                "the seed",
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


def _versions(backend: Backend) -> str:
    """Return the framework's line and Keras', of the title "Keras 2.3.1 on Theano 1.0.5"."""
    return backend.title.replace(" on ", "\n")


def _numbers(run: Run | None) -> tuple[str, str, str]:
    """Return a run's final costs and its weights in short, nothing where they cannot be read."""
    if run is None or not run.facts.completed:
        return "", "", ""
    try:
        return _cost(run.arrays, TRAIN), _cost(run.arrays, TEST), _weights(run.all_arrays)
    except KerasReproError:
        return "", "", ""


def _cost(arrays: Mapping[str, Stored], phase: str) -> str:
    cost = final_cost(arrays, phase)
    return "" if cost is None else f"{cost:.5g}"


def _weights(arrays: Mapping[str, Kept]) -> str:
    weights = [a for name, a in arrays.items() if ArrayName.parse(name).kind is Kind.WEIGHT]
    count = sum(array.size for array in weights)
    if 0 < count <= FEW:
        stored = [array for array in weights if isinstance(array, Stored)]  # so few always are
        return "\n".join(f"{value:.5g}" for array in stored for value in np.ravel(array.load()))
    return f"{count:,}\n{len(weights)} arrays" if weights else ""
