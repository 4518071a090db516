"""What became of variations, in words for every format."""

import math

from keras_repro.report import first_link
from keras_repro.report.matrix import Cell, Colour
from keras_repro.report.text import figure, joined, number_of, printable, where
from keras_repro.studies.vary.found import Result, State, Varied
from keras_repro.studies.vary.variations import ROUNDING

CELLS = {
    State.SAME: ("=", Colour.GOOD),
    State.MOVED: ("≈", Colour.CLOSE),
    State.BEYOND: ("≠", Colour.BAD),
    State.SKIPPED: ("–", Colour.NONE),
    State.FAILED: ("✗", Colour.BAD),
}


def cell(state: State) -> Cell:
    """Return a state as a cell of a table."""
    return Cell(str(state), *CELLS[state])


def headline(result: Result) -> str:
    """Return the answer in a sentence."""
    failed = len(result.of(State.FAILED))
    return _answer(result) + (f"; {number_of(failed, 'variation')} failed" if failed else "")


def _answer(result: Result) -> str:
    name, ran = result.backend.name, [v for v in result.varied if v.state is not State.SKIPPED]
    beyond = _factors(result.of(State.BEYOND))
    moving = _factors(result.of(State.MOVED, State.BEYOND))
    what = f"the numbers of {printable(result.place.workload)} on {name}"
    if not ran:
        return f"nothing of {what} was varied: every variation was skipped"
    if not moving:
        same = number_of(len(result.of(State.SAME)), "variation")
        return f"{what} are the same bits under {same}"
    if not beyond:
        return f"{what} move with {joined(moving)}, none beyond its tolerance"
    return f"{what} move beyond their tolerances with {joined(beyond)}"


def counts(result: Result) -> str:
    """Return how many variations became what, and for how long it took."""
    each = [(len(result.of(state)), str(state)) for state in State]
    shown = ", ".join(f"{number} {word}" for number, word in each if number)
    known = sum(one.known for one in result.varied)
    kept = f"; {known} of them known from before" if known else ""
    return f"{number_of(len(result.varied), 'variation')}: {shown}{kept}; {result.seconds:.0f} s"


def arrays(varied: Varied) -> str:
    """Return how many arrays move, of how many."""
    return f"{len(varied.moved)} of {len(varied.comparisons)}" if varied.comparisons else ""


def first(varied: Varied) -> str:
    """Return from where on the numbers move: the training step, or what moves where none is."""
    if varied.first is not None:
        return where(varied.first)
    return varied.moved[0].name if varied.moved else ""


def link(varied: Varied) -> str:
    """Return the first link of the trail that differs by more than rounding; mostly nothing."""
    return first_link.sentence(varied.trace)


def largest(varied: Varied) -> str:
    """Return the largest relative difference, or where there is no such figure the verdict."""
    if varied.largest is not None:
        return figure(varied.largest)
    return next((str(one.verdict) for one in varied.moved), "")


def rounding(result: Result) -> tuple[list[Varied], list[Varied]]:
    """Return the variations by rounding that move numbers, and all others that do."""
    moving = result.of(State.MOVED, State.BEYOND)
    of_rounding = [one for one in moving if one.variation.factor == ROUNDING]
    return of_rounding, [one for one in moving if one.variation.factor != ROUNDING]


def rows(result: Result) -> list[tuple[str, State, str, str, str]]:
    """Return a row for each variation that moves something: name, state, arrays, largest, first.

    Those that move weights and data are one: rounding itself has many.
    """
    by_rounding, others = rounding(result)
    found = [(v.variation.name, v.state, arrays(v), largest(v), first(v)) for v in others]
    if by_rounding:
        worst = max(by_rounding, key=lambda one: one.largest or 0.0)
        states = {one.state for one in by_rounding}
        every = [v for v in result.varied if v.variation.factor == ROUNDING]
        earliest = min(by_rounding, key=_at_step)
        found.append(
            (
                f"ulps ({len(by_rounding)} of {len(every)})",
                State.BEYOND if State.BEYOND in states else State.MOVED,
                arrays(worst),
                largest(worst),
                first(earliest),
            )
        )
    return found


def unmoved(result: Result) -> str:
    """Return which variations move nothing; nothing where each moves something."""
    by_rounding, _ = rounding(result)
    still = result.of(State.SAME)
    names = [one.variation.name for one in still if one.variation.factor != ROUNDING]
    of_rounding = len(still) - len(names)
    if of_rounding and not by_rounding:  # else its row says how many move
        names.append(f"ulps ({of_rounding})")
    return f"not a bit moves with {', '.join(names)}" if names else ""


def left_out(result: Result) -> list[tuple[str, str]]:
    """Return (names, why) of the variations that were skipped, those with one reason together."""
    reasons: dict[str, list[str]] = {}
    for one in result.of(State.SKIPPED):
        reasons.setdefault(one.variation.skipped, []).append(one.variation.name)
    return [(", ".join(names), why) for why, names in reasons.items()]


def _at_step(varied: Varied) -> float:
    at = None if varied.first is None else varied.first.first
    return math.inf if at is None else at[0]


def _factors(varied: list[Varied]) -> list[str]:
    return list(dict.fromkeys(one.variation.factor for one in varied))
