"""What counts as different: in a search, and where one thing is varied."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.tolerances import tolerance_of
from keras_repro.project.workload import Workload
from keras_repro.recorder.contract import ArrayName
from keras_repro.runs import by_class
from keras_repro.runs.baselines import Baseline, read_baseline
from keras_repro.runs.run import Origin, last_run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.check import Place, compare_stored
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Trial, try_in

IDENTICAL = "identical"
BASELINE = "baseline"


class Judging(Protocol):
    """What a search asks of what counts as different."""

    def tried(
        self,
        at: int | None,
        workload: Workload,
        backend: Backend,
        progress: Progress,
        engine: Engine,
    ) -> Trial:
        """Return what becomes of a workload at a point, with as many runs as it takes.

        ``at`` is None where it is none of the search's points, but explains a change.
        """

    def compare(
        self, obtained: Mapping[str, Kept], expected: Mapping[str, Kept]
    ) -> list[Comparison]:
        """Return the comparisons of two runs' arrays; none where single runs tell nothing."""

    def outcome(self, comparisons: list[Comparison], trial: Trial | None = None) -> dict[str, bool]:
        """Return {kind: whether it differs}, of these comparisons or of a trial."""

    def explains(self, trials: int) -> None:
        """Be told that what follows explains a change, in so many trials at most."""


@dataclass(frozen=True)
class Judge:
    """What counts as different, for the arrays that match ``only``.

    ``tolerance_of`` is None where the bits are to be the same.
    """

    tolerance_of: Callable[[str], Tolerance] | None
    only: tuple[str, ...] = ()

    def tried(
        self,
        at: int | None,  # noqa: ARG002 - the protocol's
        workload: Workload,
        backend: Backend,
        progress: Progress,
        engine: Engine,
    ) -> Trial:
        """Return what becomes of one run."""
        return try_in(workload, backend, engine, progress)

    def compare(
        self, obtained: Mapping[str, Kept], expected: Mapping[str, Kept]
    ) -> list[Comparison]:
        """Return the comparisons of two runs' arrays. Raises as compare_stored does."""
        tolerance_of = self.tolerance_of or (lambda _: EXACT)
        return compare_stored(obtained, expected, tolerance_of, self.only)

    def differs(self, comparison: Comparison) -> bool:
        """Return whether one array counts as different."""
        if self.tolerance_of is None:
            return comparison.verdict is not Verdict.IDENTICAL
        return not comparison.verdict.passes

    def outcome(self, comparisons: list[Comparison], trial: Trial | None = None) -> dict[str, bool]:  # noqa: ARG002 - the protocol's
        """Return {kind of array: whether any of it differs}."""
        found: dict[str, bool] = {}
        for comparison in comparisons:
            kind = kind_of(comparison.name)
            found[kind] = found.get(kind, False) or self.differs(comparison)
        return found

    def explains(self, trials: int) -> None:
        """Do nothing: how many trials there are makes no difference to arrays."""


def kind_of(name: str) -> str:
    """Return under which word an array is judged: costs, weights, predictions, own arrays."""
    return ArrayName.parse(name).kind.group


def judge_of(
    place: Place,
    backend: Backend,
    tolerance: str | float,
    only: tuple[str, ...] = (),
    facts: Origin | None = None,
) -> Judge:
    """Return what counts as different.

    ``tolerance`` is IDENTICAL, BASELINE, or a relative tolerance. BASELINE means the tolerances
    of the stored baseline, and where none can be read those of the workload and the backend.
    ``facts`` are as ``baseline_of`` takes them.
    """
    if tolerance == IDENTICAL:
        return Judge(None, only)
    if isinstance(tolerance, float):
        relative = Tolerance(tolerance, 0.0)
        return Judge(lambda name: relative, only)
    baseline = baseline_of(place, backend, facts)
    if baseline is not None:
        return Judge(place.tolerance_of(baseline), only)
    tolerances = place.of.tolerances | backend.tolerances
    return Judge(lambda name: tolerance_of(name, tolerances), only)


def baseline_of(place: Place, backend: Backend, facts: Origin | None = None) -> Baseline | None:
    """Return the stored baseline, None where none can be read.

    Of several it is the one for the numeric class of ``facts``, a run's; where none are given, of
    the last run's.
    """
    if facts is None:
        with suppress(KerasReproError):
            facts = last_run(place.run(backend)).facts
    try:
        return read_baseline(by_class.choose(place.baseline(backend), facts).folder)
    except KerasReproError:
        return None
