"""Simulate searches by many seeds whose truth is known, for docs/chance.md: see chance.py.

Each search is made of the code that makes the real ones: which point is tried next, at which level,
at which looks; the seeds alone are drawn by a computer.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers.chance.decide import Decision, Scalar, decision_of
from keras_repro.numbers.chance.looks import Look, look_at, looks
from keras_repro.numbers.chance.within import ALPHA, own_margin
from keras_repro.numbers.differences import Array
from keras_repro.studies.bisect.levels import level_between
from keras_repro.studies.bisect.strategy import bracket, next_points

COUNT, MOST, SEED, KIND = 30, 30, 1, "distribution"

Draw = Callable[[np.random.Generator, tuple[int, int]], Array]


def _skewed(generator: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = np.exp(0.5 * generator.standard_normal(shape)) - np.exp(0.125)
    return np.asarray(values / np.sqrt((np.exp(0.25) - 1) * np.exp(0.25)))


DRAWS: dict[str, Draw] = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "heavy tails (t, 5 degrees)": lambda g, shape: g.standard_t(5, shape) / np.sqrt(5 / 3),
    "skewed (log-normal, 0.5)": _skewed,
}


@dataclass(frozen=True)
class Searched:
    """A row: at which of 30 releases what changes, of the first of so many scalars."""

    change: int | None = None
    shift: float = 0.0
    spread: float = 1.0
    scalars: int = 1
    values: str = "normal"

    @property
    def words(self) -> str:
        """What is true, in words."""
        more = f", {self.scalars} scalars" if self.scalars > 1 else ""
        shape = "" if self.values == "normal" else f"{self.values}: "
        if self.change is None:
            return f"{shape}nothing differs{more}"
        what = f"the mean by {self.shift:g} sd" if self.shift else f"the spread {self.spread:g}x"
        return f"{shape}{what}, from release {self.change} on{more}"

    def drawn(self, generator: np.random.Generator, at: int) -> Array:
        """Return [scalars, seeds] of a release, 0 the good one."""
        values = DRAWS[self.values](generator, (self.scalars, MOST))
        if self.change is not None and at >= self.change:
            values[0] = self.spread * values[0] + self.shift
        return values


ROWS = (
    Searched(),
    *(Searched(17, shift) for shift in (1.0, 2.0)),
    Searched(COUNT - 1, 2.0),
    *(Searched(17, spread=spread) for spread in (2.0, 3.0)),
    Searched(scalars=3),
    Searched(17, 2.0, scalars=3),
    *(one for v in list(DRAWS)[1:] for one in (Searched(values=v), Searched(17, 2.0, values=v))),
)


@dataclass
class State:
    """A search under way: its good seeds, what its points told, and how many trainings it took."""

    good: Array
    outcomes: dict[int, dict[str, bool]]
    trained: int = MOST

    @property
    def found(self) -> int | None:
        """At which release the change is found, None where at none."""
        found = bracket(self.outcomes, KIND)
        return None if found is None else found.bad


def searched(truth: Searched, count: int) -> list[State]:
    """Return so many searches, made side by side: all try their first point, then the second.

    So all of them look at as many seeds at the same level, for which the seeds are dealt out once.
    """
    generator = np.random.default_rng(SEED)
    every = [State(truth.drawn(generator, 0), {0: {KIND: False}}) for _ in range(count)]
    level, tried = ALPHA, 0
    while points := [(one, at) for one in every for at in next_points(COUNT, one.outcomes)]:
        left = [(one, at, truth.drawn(generator, at)) for one, at in points]
        for look in looks(MOST):
            undecided = []
            for one, at, obtained in left:
                decision = _decided(one.good, obtained, look, level)
                if decision is Decision.INCONCLUSIVE and look.seeds < MOST:
                    undecided.append((one, at, obtained))
                    continue
                one.trained += look.seeds
                one.outcomes[at] = {KIND: decision is Decision.DIFFERENT}
            left = undecided
        level, tried = level_between(tried, COUNT), tried + 1
    return every


def _decided(good: Array, obtained: Array, look: Look, level: float) -> Decision:
    scalars = [
        Scalar("", first, second[: look.seeds], own_margin(first))
        for first, second in zip(good, obtained, strict=True)
    ]
    return decision_of(look_at(scalars, look, level))


def of_searches(count: int) -> Iterator[str]:
    """Yield how often a search names which release."""
    yield "| truth | the right one | one before it | one after it | none | trainings |"
    yield "|---|--:|--:|--:|--:|--:|"
    for truth in ROWS:
        print(truth.words, file=sys.stderr, flush=True)
        every = searched(truth, count)
        counts = Counter(_named(one.found, truth.change) for one in every)
        trained = sum(one.trained for one in every)
        names = ("right", "before", "after", "none")
        cells = [f"{counts[name] / count:.1%}" for name in names]
        if truth.change is None:
            cells = ["", cells[1], "", f"**{cells[3]}**"]
        yield f"| {truth.words} | {' | '.join(cells)} | {trained / count:.0f} |"


def _named(found: int | None, change: int | None) -> str:
    if found is None:
        return "none"
    if change is None or found < change:
        return "before"
    return "right" if found == change else "after"


if __name__ == "__main__":
    for line in of_searches(int(sys.argv[1])):
        print(line, flush=True)
