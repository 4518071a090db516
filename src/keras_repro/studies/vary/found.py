"""What is found of variations: types, and nothing that decides which there are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from keras_repro.backends import Backend
from keras_repro.errors import ExitCode, gravest
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.numbers.differences import Tolerance
from keras_repro.recorder.contract import ArrayName, Kind
from keras_repro.runs.run import Run
from keras_repro.studies.check import Place
from keras_repro.studies.first_link.found import Traced
from keras_repro.studies.vary.variations import Variation


class State(StrEnum):
    """What became of a variation."""

    SAME = "same"  # not a bit moves
    MOVED = "moved"  # within tolerance
    BEYOND = "beyond"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Varied:
    """What one variation does. ``comparisons`` are with the base; of initial weights too.

    ``problem`` says why it was skipped, or how it failed. ``known`` says that it was not run anew.
    """

    variation: Variation
    run: Run | None = None
    comparisons: list[Comparison] = field(default_factory=list)
    trace: Traced | None = None
    problem: str = ""
    exit_code: ExitCode = ExitCode.OK
    seconds: float = 0.0
    known: bool = False

    @property
    def state(self) -> State:
        """What became of it."""
        if self.variation.skipped:
            return State.SKIPPED
        if self.problem:
            return State.FAILED
        if any(not one.verdict.passes for one in self.moved):
            return State.BEYOND
        return State.MOVED if self.moved else State.SAME

    @property
    def moved(self) -> list[Comparison]:
        """The arrays that have other bits; not the initial weights where those were moved."""
        return [
            one
            for one in self.comparisons
            if one.verdict is not Verdict.IDENTICAL
            and not (self.variation.changes.get("ulps") and _is_initial(one.name))
        ]

    @property
    def largest(self) -> float | None:
        """The largest relative difference of any array; None where there is none."""
        sizes = [one.max_relative for one in self.moved if one.max_relative is not None]
        return max(sizes, default=None)

    @property
    def first(self) -> Comparison | None:
        """The training costs that part first; None where none of them do."""
        of_steps = [
            one for one in self.moved if one.first is not None and one.first_step is not None
        ]
        return min(of_steps, key=lambda one: (one.first or (0,))[0], default=None)


def _is_initial(name: str) -> bool:
    return ArrayName.parse(name).kind is Kind.INITIAL_WEIGHT


@dataclass(frozen=True)
class Result:
    """What the numbers of a workload depend on, on a backend.

    ``tolerance_of`` is what each array may move by: the baseline's, or where there is none what
    ``tolerances`` says in words.
    """

    place: Place
    backend: Backend
    base: Run
    tolerance_of: Callable[[str], Tolerance]
    tolerances: str
    varied: list[Varied]
    seconds: float = 0.0

    @property
    def exit_code(self) -> ExitCode:
        """DRIFT where something moves further than it may; worse where a variation failed."""
        drift = any(one.state is State.BEYOND for one in self.varied)
        codes = [one.exit_code for one in self.varied]
        return gravest([*codes, ExitCode.DRIFT if drift else ExitCode.OK])

    def of(self, *states: State) -> list[Varied]:
        """Return the variations of which these became."""
        return [one for one in self.varied if one.state in states]
