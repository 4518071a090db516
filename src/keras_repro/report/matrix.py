"""Backend by kind of array: what a person should see first, in every format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keras_repro.compare import Comparison, Verdict, worst_verdict
from keras_repro.errors import ExitCode
from keras_repro.recorder import layout
from keras_repro.report.text import printable, where
from keras_repro.studies.check import Checked


class Kind(StrEnum):
    """A kind of arrays."""

    COSTS = "costs"
    WEIGHTS = "weights"
    PREDICTIONS = "predictions"


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
    ExitCode.MISSING: "missing",
    ExitCode.RUN_FAILED: "failed",
    ExitCode.UNREADABLE: "damaged",
}
KINDS_BY_NAME = {
    layout.COSTS: Kind.COSTS,
    layout.METRICS: Kind.COSTS,
    layout.HISTORY: Kind.COSTS,
    layout.INITIAL_WEIGHTS: Kind.WEIGHTS,
    layout.WEIGHTS: Kind.WEIGHTS,
    layout.PREDICTIONS: Kind.PREDICTIONS,
}
SIGNS = {Verdict.IDENTICAL: "=", Verdict.CLOSE: "≈"}


def kind_of(name: str) -> Kind | None:
    """Return the kind of an array, from its name; None of one that is none of them."""
    parts = name.split("/")
    if parts[0].startswith("model") and parts[0][5:].isdigit():
        parts = parts[1:]
    return KINDS_BY_NAME.get(parts[0])


def of_kind(comparisons: Sequence[Comparison], kind: Kind) -> list[Comparison]:
    """Return the comparisons of the arrays of that kind."""
    return [comparison for comparison in comparisons if kind_of(comparison.name) is kind]


def verdict_cell(verdict: Verdict) -> Cell:
    """Return a verdict as a cell."""
    colour = {Verdict.IDENTICAL: Colour.GOOD, Verdict.CLOSE: Colour.CLOSE}.get(verdict, Colour.BAD)
    return Cell(str(verdict), SIGNS.get(verdict, "≠"), colour)


def cell(result: Checked, kind: Kind) -> Cell:
    """Return the worst verdict on a backend's arrays of a kind, or why there is none."""
    if not result.comparisons:
        return status(result)
    worst = worst_verdict([c.verdict for c in of_kind(result.comparisons, kind)])
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
    if worst.passes and result.exit_code is ExitCode.UNREADABLE:
        return Cell("edited", "✗", Colour.BAD)
    return verdict_cell(worst)


def sentence(results: Sequence[Checked]) -> str:
    """Return the answer in one sentence."""
    good = [result for result in results if result.exit_code is ExitCode.OK]
    close = [result for result in good if status(result).colour is Colour.CLOSE]
    if len(good) == len(results):
        if not close:
            return f"{_all(results)} the numbers of {_whose(results)} to the bit."
        names = _names(close)
        return (
            f"{_all(results)} the numbers of {_whose(results)} within tolerance; "
            f"{names} {'is' if len(close) == 1 else 'are'} close, not identical."
        )
    parts = []
    drifting = [result for result in results if result.exit_code is ExitCode.DRIFT]
    if drifting:
        verb = "differs from its baseline" if len(drifting) == 1 else "differ from their baselines"
        described = _joined([_described(result) for result in drifting])
        parts.append(f"{described} {verb}")
    for word in dict.fromkeys(status(r).word for r in results if r.exit_code > ExitCode.DRIFT):
        those = [r for r in results if r.exit_code > ExitCode.DRIFT and status(r).word == word]
        parts.append(_failing(word, those))
    if good:
        are = "is as its baseline" if len(good) == 1 else "are as their baselines"
        parts.append(f"{_names(good)} {are}")
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def _described(result: Checked) -> str:
    for comparison in result.comparisons:
        if not comparison.verdict.passes and comparison.first_step is not None:
            return f"{result.backend.name} ({comparison.verdict} {where(comparison)})"
    verdicts = [c.verdict for c in result.comparisons if not c.verdict.passes]
    kind = worst_verdict(verdicts)
    return f"{result.backend.name} ({kind})" if kind else result.backend.name


def _failing(word: str, results: list[Checked]) -> str:
    names, one = _names(results), len(results) == 1
    if word == "failed":
        return f"the {'run' if one else 'runs'} of {names} failed"
    if word in ("no run", "no baseline"):
        return f"{names} {'has' if one else 'have'} {word}"
    return f"{names} {'is' if one else 'are'} {word}"


def _all(results: Sequence[Checked]) -> str:
    if len(results) == 1:
        return f"{printable(results[0].backend.name)} gives"
    return f"All {len(results)} backends give"


def _whose(results: Sequence[Checked]) -> str:
    return "its baseline" if len(results) == 1 else "their baselines"


def _names(results: Sequence[Checked]) -> str:
    return _joined([result.backend.name for result in results])


def _joined(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
