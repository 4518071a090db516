"""Put the links of two trails side by side, in the order of time, and judge each pair."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_repro.numbers.rounding import Figures, is_rounded, scale_of, within_rounding
from keras_repro.recorder.contract import in_order
from keras_repro.runs.trail import (
    Cost,
    Data,
    File,
    Generators,
    InitialWeights,
    Link,
    Trail,
    Value,
    Weights,
)
from keras_repro.studies.first_link.found import Sides, State

MOST_ELEMENTS = 1 << 62  # of what a hostile trail says
TOGETHER = "all"  # the name under which a thinned trail has all weights of a link

Key = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A link of both trails, or of one alone. ``what`` says how it differs.

    ``names`` are the weights that do, the first layer's first.
    """

    expected: Link | None
    obtained: Link | None
    state: State
    what: str = ""
    names: tuple[str, ...] = ()

    @property
    def link(self) -> Link:
        """The link, to be named by: that of either side."""
        link = self.obtained or self.expected
        assert link is not None
        return link

    @property
    def of_both(self) -> bool:
        """Whether both sides have it."""
        return self.obtained is not None and self.expected is not None


def pairs(expected: Trail, obtained: Trail, sides: Sides, rounding: bool) -> list[Pair]:
    """Return the links of two trails side by side, in the order of time, each pair judged.

    ``rounding`` says that the two sides may round differently.
    """
    mine, theirs = _by_key(obtained), _by_key(expected)
    thinned = {True: bool(expected.left_out), False: bool(obtained.left_out)}
    found = []
    for key in _in_order(list(theirs), list(mine)):
        before, after = theirs.get(key), mine.get(key)
        if before is not None and after is not None:
            found.append(_judged(before, after, rounding))
            continue
        # What the other side has left out, it may have had.
        unknown = thinned[before is None]
        only = sides.obtained if before is None else sides.expected
        state = State.UNKNOWN if unknown else State.DIFFERS
        found.append(Pair(before, after, state, "" if unknown else f"only {only}"))
    return found


def _by_key(trail: Trail) -> dict[Key, Link]:
    counts: Counter[Key] = Counter()
    found = {}
    for link in trail.links:
        key = _key(link)
        counts[key] += 1
        found[(*key, str(counts[key]))] = link
    return found


def _key(link: Link) -> Key:
    """Return what a link is known by among those of a trail."""
    parts: tuple[Any, ...]
    match link:
        case Generators():
            parts = (link.at,)
        case File():
            parts = (link.path,)
        case Data():
            parts = (link.model, link.call, link.number, link.argument, link.batch)
        case InitialWeights():
            parts = (link.model,)
        case Cost() | Weights():
            parts = (link.model, link.step)
    return (link.kind, *map(str, parts))


def _in_order(expected: list[Key], obtained: list[Key]) -> list[Key]:
    """Return the keys of both sides in the order of time, the same whichever side is which.

    What one side has alone stands after as many links of both as it does there, and before the next
    of both.
    """
    both = set(expected) & set(obtained)
    places: dict[Key, tuple[int, int, int]] = {}
    for keys in (expected, obtained):
        count = 0
        for number, key in enumerate(keys):
            alone = key not in both
            place = (count, 0, number) if alone else (count, 1, 0)
            places[key] = min(places.get(key, place), place)
            count += not alone
    return sorted(places, key=lambda key: (places[key], key))


def _judged(before: Link, after: Link, rounding: bool) -> Pair:
    match before, after:
        case Generators(), Generators():
            names = [n for n in before.states if n in after.states]
            differing = tuple(n for n in names if before.states[n] != after.states[n])
            state = State.DIFFERS if differing else State.SAME if names else State.UNKNOWN
            return Pair(before, after, state, names=differing)
        case File(), File():
            same = (before.digest, before.bytes) == (after.digest, after.bytes)
            sizes = f" ({before.bytes:,} -> {after.bytes:,})" * (before.bytes != after.bytes)
            what = "" if same else f"other bytes{sizes}"
            return Pair(before, after, State.SAME if same else State.DIFFERS, what)
        case Data(), Data():
            if before.value is None or after.value is None:
                return Pair(before, after, State.UNKNOWN, before.unseen or after.unseen)
            return Pair(before, after, *_value(before.value, after.value, before.step, rounding))
        case Cost(), Cost():
            values = _of_one_dtype(before.value, after.value)
            return Pair(before, after, *_value(*values, before.step, rounding))
        case InitialWeights(), InitialWeights():
            return _weights(before, after, rounding)
        case Weights(), Weights():
            return _weights(before, after, rounding)
    raise AssertionError("links of one key are of one kind")


def _weights(
    before: InitialWeights | Weights, after: InitialWeights | Weights, rounding: bool
) -> Pair:
    if (TOGETHER in before.weights) is not (TOGETHER in after.weights):
        return Pair(before, after, State.UNKNOWN)  # one is thinned further
    states, whats = set(), {}
    sides = (before.weights.values(), after.weights.values())
    scale = max(scale_of([*map(_figures, values)]) for values in sides) if rounding else 0.0
    for name in sorted({*before.weights, *after.weights}, key=in_order):
        was, now = before.weights.get(name), after.weights.get(name)
        if was is None or now is None:
            state, what = State.DIFFERS, "only on one side"
        else:
            state, what = _value(was, now, before.step, rounding, scale)
        states.add(state)
        if state is State.DIFFERS:
            whats[name] = what
    if not states:
        return Pair(before, after, State.SAME)
    return Pair(before, after, worst(states), next(iter(whats.values()), ""), tuple(whats))


def _of_one_dtype(before: Value, after: Value) -> tuple[Value, Value]:
    """Return two costs as float32 where one is that, and the other a float64 made of such a one.

    Some releases of Keras return a Python float, which is made of a float32.
    """
    if {before.dtype, after.dtype} != {"float32", "float64"}:
        return before, after
    if not (_is_made_of_float32(before.mean) and _is_made_of_float32(after.mean)):
        return before, after
    digest = before.digest if before.mean == after.mean else after.digest
    return (
        before.model_copy(update={"dtype": "float32"}),
        after.model_copy(update={"dtype": "float32", "digest": digest}),
    )


def _is_made_of_float32(figure: float | None) -> bool:
    """Return whether a figure is a float32, all of its digits or the nine that a trail has."""
    if figure is None or not abs(figure) < np.finfo(np.float32).max:
        return False
    narrow = np.float32(figure)
    return figure in (float(narrow), float(f"{narrow:.9g}"))


def _value(
    before: Value, after: Value, steps: int, rounding: bool, scale: float = 0.0
) -> tuple[State, str]:
    if before.shape != after.shape:
        return State.DIFFERS, f"shape {before.shape} -> {after.shape}"
    if before.dtype != after.dtype:
        return State.DIFFERS, f"{before.dtype} -> {after.dtype}"
    if before.digest == after.digest:
        return State.SAME, ""
    if not rounding:
        return State.DIFFERS, ""
    if not before.dtype:  # of several arrays
        return State.UNKNOWN, ""
    if not is_rounded(before.dtype):
        return State.DIFFERS, ""
    within = within_rounding(_figures(before), _figures(after), steps, scale)
    if within is None:
        return State.UNKNOWN, ""
    if within:
        return State.CLOSE, ""
    if before.norm is None or after.norm is None or before.norm == after.norm:
        return State.DIFFERS, ""
    return State.DIFFERS, f"norm {before.norm:.6g} -> {after.norm:.6g}"


def _figures(value: Value) -> Figures:
    elements = min(math.prod(value.shape), MOST_ELEMENTS)
    return Figures(value.dtype, elements, value.mean, value.minimum, value.maximum, value.norm)


def worst(states: set[State]) -> State:
    """Return what is to be said of several links together."""
    return max(states, key=list(State).index, default=State.UNKNOWN)
