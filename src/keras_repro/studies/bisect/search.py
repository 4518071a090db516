"""Search an ordered range of points for where the numbers change, probing as few as can be."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import MissingError
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict, worst_verdict
from keras_repro.numbers.differences import Tolerance
from keras_repro.recorder.contract import ArrayName
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.studies.bisect import strategy
from keras_repro.studies.bisect.strategy import Bracket, Outcome
from keras_repro.studies.check import compare_stored
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Probe


@dataclass(frozen=True)
class Judge:
    """What counts as different, for the arrays that match ``only``.

    ``tolerance_of`` is None where the bits are to be the same.
    """

    tolerance_of: Callable[[str], Tolerance] | None
    only: tuple[str, ...] = ()

    def compare(
        self, obtained: Mapping[str, Stored], expected: Mapping[str, Stored]
    ) -> list[Comparison]:
        """Return the comparisons of two runs' arrays. Raises as compare_stored does."""
        tolerance_of = self.tolerance_of or (lambda _: EXACT)
        return compare_stored(obtained, expected, tolerance_of, self.only)

    def differs(self, comparison: Comparison) -> bool:
        """Return whether one array counts as different."""
        if self.tolerance_of is None:
            return comparison.verdict is not Verdict.IDENTICAL
        return not comparison.verdict.passes

    def outcome(self, comparisons: list[Comparison]) -> dict[str, bool]:
        """Return {kind of array: whether any of it differs}."""
        found: dict[str, bool] = {}
        for comparison in comparisons:
            kind = kind_of(comparison.name)
            found[kind] = found.get(kind, False) or self.differs(comparison)
        return found


def kind_of(name: str) -> str:
    """Return under which word an array is judged: costs, weights, predictions, own arrays."""
    return ArrayName.parse(name).kind.group


@dataclass
class Point:
    """A point of the range: a release, a day, a commit.

    ``problem`` says why it tells nothing: known beforehand where there is no ``probe``.
    ``comparisons`` are with the good point, and ``differs`` what they come to for each kind of
    array; None where that is not known. ``left`` is what was
    left of the range when it had been tried: (good, bad, untried between) for each kind's.
    """

    label: str
    detail: str = ""
    problem: str = ""
    probe: Probe | None = None
    comparisons: list[Comparison] | None = None
    differs: dict[str, bool] | None = None
    left: tuple[tuple[int, int, int], ...] = ()

    @property
    def told(self) -> bool:
        """Whether it has numbers."""
        return self.differs is not None

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict of its arrays."""
        return worst_verdict([c.verdict for c in self.comparisons or []])


@dataclass
class Search:
    """A search under way, or its result; read while it runs.

    ``running`` has the points that are being tried, with how far they are. ``expected`` are the
    arrays that are good: None until the first point told them.
    """

    points: list[Point]
    judge: Judge
    expected: Mapping[str, Stored] | None = None
    every: bool = False
    jobs: int = 1
    running: dict[int, Progress] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    done: bool = False
    _pairs: dict[tuple[int, int], list[Comparison]] = field(default_factory=dict)

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
    def probes(self) -> int:
        """How many points were tried."""
        return len(self.order)

    @property
    def trained(self) -> int:
        """How many of them were not known from before."""
        return sum(not p.probe.cached for at in self.order if (p := self.points[at]).probe)

    def between(self, left: int, right: int) -> list[Comparison]:
        """Return the comparisons of two points that both have numbers."""
        if (left, right) not in self._pairs:
            obtained, expected = self._run(right).arrays, self._run(left).arrays
            self._pairs[left, right] = self.judge.compare(obtained, expected)
        return self._pairs[left, right]

    def _run(self, at: int) -> Run:
        probe = self.points[at].probe
        if probe is None or probe.run is None:
            raise MissingError(f"{self.points[at].label} has no numbers")
        return probe.run

    def differ(self, left: int, right: int) -> bool:
        """Return whether two points that both have numbers differ."""
        return any(self.judge.outcome(self.between(left, right)).values())

    def next_points(self) -> list[int]:
        """Return what to try next."""
        count, outcomes = len(self.points), self.outcomes
        if self.every:
            return strategy.next_refinements(count, outcomes, self.differ, self.jobs)
        return strategy.next_points(count, outcomes, self.jobs)

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
        took = [p.probe.seconds for p in self.points if p.probe is not None and p.probe.seconds]
        return self.left() / self.jobs * sum(took) / len(took) if took else None


def search(
    state: Search, try_point: Callable[[int, Progress], Probe], backend: Backend, engine: Engine
) -> None:
    """Try points until all that can be is known; ``state`` has the result.

    ``try_point`` is given a point's index, and the progress to keep. KeyboardInterrupt
    ends what runs at once and is raised again; ``state`` keeps what was learnt.

    Raises:
        UnavailableError, StoppedError: as a probe does.
        UsageError: ``only`` matches no array.
    """
    pool = ThreadPoolExecutor(state.jobs)
    lock = threading.Lock()

    def run(at: int) -> Probe:
        progress = Progress(state.points[at].label, backend)
        with lock:
            state.running[at] = progress
        return try_point(at, progress)

    try:
        while points := state.next_points():
            futures = {pool.submit(run, at): at for at in points}
            while futures:
                _collect(state, futures, lock)
    except BaseException:
        engine.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        state.seconds = time.monotonic() - state.started
        state.done = True
    pool.shutdown()


def _collect(state: Search, futures: "dict[Future[Probe], int]", lock: threading.Lock) -> None:
    finished, _ = wait(futures, return_when=FIRST_COMPLETED)
    # The good point first: the others are compared with it.
    for future in sorted(finished, key=lambda one: futures[one]):
        at = futures[future]
        probe = future.result()
        if at != 0 and state.expected is None and not state.points[0].problem:
            others = [one for one in futures if futures[one] == 0]
            if others:  # it is still under way
                wait(others)
                continue
        del futures[future]
        _tell(state, at, probe)
        with lock:
            state.running.pop(at, None)


def _tell(state: Search, at: int, probe: Probe) -> None:
    point = state.points[at]
    if probe.run is not None:
        if state.expected is None:
            state.expected = probe.run.arrays
        point.comparisons = state.judge.compare(probe.run.arrays, state.expected)
        point.differs = state.judge.outcome(point.comparisons)
    point.probe = probe
    point.problem = probe.problem
    brackets = {b for kind in state.kinds if (b := state.bracket(kind)) is not None}
    point.left = tuple(sorted((b.good, b.bad, len(b.untried)) for b in brackets if b.untried))
    state.order.append(at)
