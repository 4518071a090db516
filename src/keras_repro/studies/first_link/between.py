"""The first link that differs between two runs, or a run and a baseline."""

from collections.abc import Mapping

import numpy as np

from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.numbers.differences import Array
from keras_repro.numbers.rounding import is_rounded, series_within_rounding
from keras_repro.recorder.contract import TRAIL, TRAIN, ArrayName, Kind, in_order
from keras_repro.runs.baselines import Baseline, edited_message
from keras_repro.runs.causes import likely_causes, rounding_causes
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.runs.trail import Trail
from keras_repro.studies.first_link.align import pairs
from keras_repro.studies.first_link.find import Costs, Question, Result, chain, first_link
from keras_repro.studies.first_link.found import BASELINE, Sides, State, Traced

MOST_COSTS = 1 << 22  # that are looked at; a cost of each of so many steps


def traced(
    obtained: Run | Baseline,
    expected: Run | Baseline,
    comparisons: list[Comparison],
    sides: Sides = BASELINE,
) -> Traced | None:
    """Return what the trails of two runs tell of where their numbers part.

    None where one of them has no trail. ``comparisons`` are of their arrays.
    """
    for side in (expected, obtained):
        if isinstance(side, Baseline) and side.trail_edited:
            if side.facts.trail_sha256 is None:
                return None  # what lies there, nobody accepted
            return Traced(problem=edited_message(side, TRAIL))
    try:
        mine, theirs = obtained.trail.trail, expected.trail.trail
        if mine is None or theirs is None:
            return None
        return _traced((obtained, mine), (expected, theirs), comparisons, sides)
    except KerasReproError as error:  # the comparisons say it of arrays
        return Traced(problem=str(error))


def _traced(
    this: tuple[Run | Baseline, Trail],
    other: tuple[Run | Baseline, Trail],
    comparisons: list[Comparison],
    sides: Sides,
) -> Traced:
    (obtained, mine), (expected, theirs) = this, other
    # A baseline of several runs has the facts of one, and the trail of another.
    mixed = any(isinstance(side, Baseline) and side.mixed for side in (obtained, expected))
    rounding = mixed or bool(rounding_causes(obtained.facts, expected.facts))
    differing = [c for c in comparisons if c.verdict is not Verdict.IDENTICAL]
    results = [c for c in differing if not c.verdict.passes] if rounding else differing
    question = Question(
        pairs(theirs, mine, sides, rounding),
        _costs(obtained.arrays, expected.arrays, rounding) if differing else {},
        [_result(comparison.name) for comparison in sorted(results, key=_when)],
        sides,
        rounding,
    )
    known = likely_causes(obtained.facts, expected.facts)
    environment = State.DIFFERS if known else State.SAME
    return Traced(first_link(question) if differing else None, chain(question, environment))


def _result(name: str) -> Result:
    parsed = ArrayName.parse(name)
    return Result(name, parsed.model, parsed.kind is Kind.WEIGHT)


def _when(comparison: Comparison) -> tuple[int, list[tuple[str, int, str]]]:
    """Return what sorts arrays in the order in which they come to be, as far as that is known."""
    name = ArrayName.parse(comparison.name)
    if name.is_per_step:
        return 1, in_order(comparison.name)
    return {Kind.INITIAL_WEIGHT: 0, Kind.WEIGHT: 2}.get(name.kind, 3), in_order(comparison.name)


def _costs(
    obtained: Mapping[str, Stored], expected: Mapping[str, Stored], rounding: bool
) -> dict[int, Costs]:
    found = {}
    for name in obtained:
        parsed = ArrayName.parse(name)
        if parsed.kind is Kind.COST and parsed.rest == TRAIN and name in expected:
            mine, theirs = obtained[name], expected[name]
            if mine.name == theirs.name and _is_series(mine) and _is_series(theirs):
                rounded = mine.name if rounding else None
                found[parsed.model] = costs_of(mine.load(), theirs.load(), rounded)
    return found


def _is_series(stored: Stored) -> bool:
    """Return whether an array is a series of costs that can be looked at, a row a step."""
    is_real = is_rounded(stored.name) and not stored.name.startswith("complex")
    return is_real and bool(stored.shape) and 0 < stored.size <= MOST_COSTS


def costs_of(mine: Array, theirs: Array, rounded: str | None) -> Costs:
    """Return from which step on two series of costs differ, a row a step.

    In their bits; where ``rounded`` is the name of a dtype, by more than rounding may do to that.
    """
    count = min(len(mine), len(theirs))
    if mine.dtype != theirs.dtype or mine.shape[1:] != theirs.shape[1:]:
        return Costs(None, 0)
    one, other = (np.ascontiguousarray(s[:count]).reshape(count, -1) for s in (mine, theirs))
    if rounded is None:
        apart = one.view(np.uint8) != other.view(np.uint8)
    else:
        apart = ~series_within_rounding(one, other, rounded)
    [steps] = np.nonzero(apart.any(axis=1))
    return Costs(int(steps[0]) + 1 if steps.size else None, count)
