"""Backend by kind of array: what a person should see first, in every format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keras_repro.errors import ExitCode
from keras_repro.numbers.comparison import Comparison, Verdict, worst_verdict
from keras_repro.recorder.contract import GROUPS, ArrayName
from keras_repro.report.text import joined, where_outside
from keras_repro.studies.check import Checked


class Colour(StrEnum):
    """How a cell is coloured."""

    GOOD = "good"
    CLOSE = "close"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: a word, a sign beside it, and a colour."""

    word: str
    sign: str
    colour: Colour


NO_VERDICT = {
    ExitCode.RUN_FAILED: "failed",
    ExitCode.UNREADABLE: "damaged",
}
USUAL = ("costs", "weights", "predictions")
SIGNS = {Verdict.IDENTICAL: "=", Verdict.CLOSE: "≈", Verdict.CHAOTIC: "~"}
COLOURS = {
    Verdict.IDENTICAL: Colour.GOOD,
    Verdict.CLOSE: Colour.CLOSE,
    Verdict.CHAOTIC: Colour.CLOSE,
}


def groups(results: Sequence[Checked]) -> list[str]:
    """Return the groups of arrays that have a column: three, and what is there besides."""
    there = {_group(c) for result in results for c in result.comparisons}
    return [group for group in GROUPS if group in USUAL or group in there]


def _group(comparison: Comparison) -> str:
    return ArrayName.parse(comparison.name).kind.group


def verdict_cell(verdict: Verdict) -> Cell:
    """Return a verdict as a cell."""
    return Cell(str(verdict), SIGNS.get(verdict, "≠"), COLOURS.get(verdict, Colour.BAD))


def cell(result: Checked, group: str) -> Cell:
    """Return the worst verdict on a backend's arrays of a group, or why there is none."""
    if not result.comparisons:
        return status(result)
    worst = worst_verdict([c.verdict for c in result.comparisons if _group(c) == group])
    return Cell("none", "–", Colour.NONE) if worst is None else verdict_cell(worst)


def status(result: Checked) -> Cell:
    """Return a backend as a whole as a cell."""
    if not result.comparisons:
        word = NO_VERDICT.get(result.exit_code, "no arrays")
        if result.exit_code is ExitCode.MISSING:
            word = "no run" if result.run is None else "no baseline"
        return Cell(word, "✗", Colour.BAD)
    worst = worst_verdict([c.verdict for c in result.comparisons])
    assert worst is not None
    if result.exit_code is ExitCode.UNREADABLE:
        return Cell("edited", "✗", Colour.BAD)
    return verdict_cell(worst)


def sentence(results: Sequence[Checked]) -> str:
    """Return the answer in one sentence."""
    good = [result for result in results if result.exit_code is ExitCode.OK]
    if len(good) == len(results):
        return _all_good(results)
    parts = []
    drifting = [result for result in results if result.exit_code is ExitCode.DRIFT]
    if drifting:
        parts.append(_drifting(drifting, len(results)))
    others = [result for result in results if result.exit_code > ExitCode.DRIFT]
    for word in dict.fromkeys(status(result).word for result in others):
        parts.append(_failing(word, [r for r in others if status(r).word == word]))
    if good:
        are = "is as its baseline" if len(good) == 1 else "are as their baselines"
        parts.append(f"{_names(good)} {are}")
    text = "; ".join(parts) + "."
    names = tuple(result.backend.name for result in results)
    return text if text.startswith(names) else text[0].upper() + text[1:]


def _all_good(results: Sequence[Checked]) -> str:
    close = [result for result in results if status(result).colour is Colour.CLOSE]
    one = len(results) == 1
    who = f"{results[0].backend.name} gives" if one else f"All {len(results)} backends give"
    text = f"{who} the numbers of {'its baseline' if one else 'their baselines'}"
    if not close:
        return f"{text} to the bit."
    are = "is close" if len(close) == 1 else "are close"
    return f"{text} within tolerance; {_names(close)} {are}, not identical."


def _drifting(results: list[Checked], count: int) -> str:
    how = [_how(result) for result in results]
    if count == 1:
        return f"{results[0].backend.name} differs from its baseline ({how[0]})"
    if len(results) == count:
        who = f"All {count} backends differ from their baselines"
    elif len(results) == 1:
        who = f"One of {count} backends differs from its baseline"
    else:
        who = f"{len(results)} of {count} backends differ from their baselines"
    if len(set(how)) > 1:
        pairs = zip(results, how, strict=True)
        return f"{who}: {joined([f'{result.backend.name} ({why})' for result, why in pairs])}"
    names = "" if len(results) == count else f": {_names(results)}"
    return f"{who}{names} ({how[0]})"


def _how(result: Checked) -> str:
    """Return in a few words how a backend differs: the training step, else the worst verdict."""
    bad = [comparison for comparison in result.comparisons if not comparison.verdict.passes]
    for comparison in bad:
        if place := where_outside(comparison):
            joint = " " if comparison.verdict is Verdict.DRIFT else ", outside the tolerance "
            return f"{comparison.verdict}{joint}{place}"
    return str(worst_verdict([comparison.verdict for comparison in bad]) or "not the same bits")


def _failing(word: str, results: list[Checked]) -> str:
    names, one = _names(results), len(results) == 1
    if word == "failed":
        return f"the {'run' if one else 'runs'} of {names} failed"
    if word in ("no run", "no baseline"):
        return f"there is {word} of {names}"
    if word == "edited":
        return (
            f"the {'baseline' if one else 'baselines'} of {names} {'was' if one else 'were'} edited"
        )
    if word == "damaged":
        return f"the run or the baseline of {names} is damaged"
    return f"{names}: {word}"


def _names(results: Sequence[Checked]) -> str:
    return joined([result.backend.name for result in results])
