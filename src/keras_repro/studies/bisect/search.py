"""Search a range for where the numbers change, trying as few points as can be.

What the points are, only what is searched knows: see searchable.py.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from keras_repro.errors import ExitCode, MissingError
from keras_repro.numbers.comparison import Comparison
from keras_repro.runs.run import Run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.bisect import strategy
from keras_repro.studies.bisect.explanation import Explanation
from keras_repro.studies.bisect.searchable import Point, Range, Searchable, Unit
from keras_repro.studies.bisect.strategy import Bracket, Outcome
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides, Traced
from keras_repro.studies.judge import Judging
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Trial


@dataclass
class Search:
    """A search under way, or its result; read while it runs.

    ``running`` has the points that are being tried, with how far they are. ``expected`` are the
    arrays that are good: None until the first point told them.
    """

    of: Searchable
    judge: Judging
    jobs: int = 1
    expected: Mapping[str, Kept] | None = None
    running: dict[int, Progress] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    done: bool = False
    _pairs: dict[tuple[int, int], list[Comparison]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take what is good from the range, where a baseline holds it."""
        self.expected = self.range.expected

    @property
    def range(self) -> Range:
        """What is searched."""
        return self.of.range

    @property
    def points(self) -> list[Point]:
        """The points of the range, in order."""
        return self.range.points

    @property
    def every(self) -> bool:
        """Whether each place where the numbers change is asked for."""
        return self.range.every

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """What is known of each point that was tried, or needed not to be."""
        return {
            at: point.differs for at, point in enumerate(self.points) if point.told or point.problem
        }

    @property
    def kinds(self) -> list[str]:
        """The kinds of arrays that the points have."""
        return strategy.kinds_of(self.outcomes)

    def bracket(self, kind: str) -> Bracket | None:
        """Return the narrowest range known to hold the first change of a kind."""
        return strategy.bracket(self.outcomes, kind)

    @property
    def tried(self) -> int:
        """How many points were tried."""
        return len(self.order)

    @property
    def trained(self) -> int:
        """How many of them were not known from before."""
        return sum(not p.trial.cached for at in self.order if (p := self.points[at]).trial)

    def between(self, left: int, right: int) -> list[Comparison]:
        """Return the comparisons of two points that both have numbers."""
        if (left, right) not in self._pairs:
            obtained, expected = self._run(right).all_arrays, self._run(left).all_arrays
            self._pairs[left, right] = self.judge.compare(obtained, expected)
        return self._pairs[left, right]

    def trace(self, left: int, right: int) -> Traced | None:
        """Return what the trails of two points that both have numbers tell; None without them.

        None too where no arrays are compared: of many seeds each has a trail of its own.
        """
        if not self.between(left, right):
            return None
        preposition = {Unit.RELEASE: f"with {self.range.name}", Unit.DAY: "on", Unit.COMMIT: "at"}
        labels = (self.points[at].label for at in (right, left))
        sides = Sides(*(f"{preposition[self.range.unit]} {label}" for label in labels))
        return traced(self._run(right), self._run(left), self.between(left, right), sides)

    def _run(self, at: int) -> Run:
        trial = self.points[at].trial
        if trial is None or trial.run is None:
            raise MissingError(f"{self.points[at].label} has no numbers")
        return trial.run

    def differ(self, left: int, right: int) -> bool:
        """Return whether two points that both have numbers differ."""
        return any(self.judge.outcome(self.between(left, right)).values())

    def next_points(self) -> list[int]:
        """Return what to try next."""
        count, outcomes = len(self.points), self.outcomes
        if self.every:
            return strategy.next_refinements(count, outcomes, self.differ, self.jobs)
        return strategy.next_points(count, outcomes, self.jobs)

    def tell(self, at: int, trial: Trial) -> None:
        """Take what became of a point. Raises as Judging.compare does."""
        point = self.points[at]
        if trial.run is not None:
            if self.expected is None:
                self.expected = trial.run.all_arrays
            point.comparisons = self.judge.compare(trial.run.all_arrays, self.expected)
            point.differs = self.judge.outcome(point.comparisons, trial)
        point.trial = trial
        point.problem = trial.problem
        brackets = {b for kind in self.kinds if (b := self.bracket(kind)) is not None}
        point.left = tuple(sorted((b.good, b.bad, len(b.untried)) for b in brackets if b.untried))
        self.order.append(at)

    def left(self) -> int:
        """Return about how many points are still to be tried."""
        ranges = [self.bracket(kind) for kind in self.kinds]
        widest = max((len(b.untried) for b in ranges if b is not None), default=0)
        if not ranges:
            widest = len(self.points) - 2
        rounds = math.ceil(math.log(widest + 1, self.jobs + 1)) if widest > 0 else 0
        return max(rounds * self.jobs, len(self.running))

    def seconds_left(self) -> float | None:
        """Return about how long that takes, from what was tried; None where nothing was."""
        took = [p.trial.seconds for p in self.points if p.trial is not None and p.trial.seconds]
        return self.left() / self.jobs * sum(took) / len(took) if took else None


@dataclass(frozen=True)
class Change:
    """Where the numbers change: between two points, for some kinds of arrays.

    ``explanation`` says which package is the reason, None where the point alone is; ``trace``
    where the numbers of the two points part, None where one of them has no trail.
    """

    kinds: tuple[str, ...]
    bracket: Bracket
    comparisons: list[Comparison]
    explanation: Explanation | None = None
    trace: Traced | None = None


@dataclass(frozen=True)
class Bisection:
    """What a search found."""

    search: Search
    changes: list[Change]

    @property
    def range(self) -> Range:
        """What was searched."""
        return self.search.range

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The kinds of arrays that do not change anywhere in the range."""
        changed = {kind for change in self.changes for kind in change.kinds}
        return tuple(kind for kind in self.search.kinds if kind not in changed)

    @property
    def exit_code(self) -> ExitCode:
        """DRIFT where a change was found, UNDECIDED where only evidence lacks, else OK."""
        if self.changes:
            return ExitCode.DRIFT
        last = self.search.points[-1].trial
        return ExitCode.UNDECIDED if last is not None and last.undecided else ExitCode.OK
