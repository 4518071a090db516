"""What counts as different in a search."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keras_repro.backends import Backend
from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.tolerances import tolerance_of
from keras_repro.recorder.contract import ArrayName
from keras_repro.runs.baselines import Baseline, read_baseline
from keras_repro.runs.summaries import Kept
from keras_repro.studies.check import Place, compare_stored

IDENTICAL = "identical"
BASELINE = "baseline"


@dataclass(frozen=True)
class Judge:
    """What counts as different, for the arrays that match ``only``.

    ``tolerance_of`` is None where the bits are to be the same.
    """

    tolerance_of: Callable[[str], Tolerance] | None
    only: tuple[str, ...] = ()

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


def judge_of(
    place: Place, backend: Backend, tolerance: str | float, only: tuple[str, ...] = ()
) -> Judge:
    """Return what counts as different.

    ``tolerance`` is IDENTICAL, BASELINE, or a relative tolerance. BASELINE means the tolerances
    of the stored baseline, and where none can be read those of the workload and the backend.
    """
    if tolerance == IDENTICAL:
        return Judge(None, only)
    if isinstance(tolerance, float):
        relative = Tolerance(tolerance, 0.0)
        return Judge(lambda name: relative, only)
    baseline = baseline_of(place, backend)
    if baseline is not None:
        return Judge(place.tolerance_of(baseline), only)
    tolerances = place.of.tolerances | backend.tolerances
    return Judge(lambda name: tolerance_of(name, tolerances), only)


def baseline_of(place: Place, backend: Backend) -> Baseline | None:
    """Return the stored baseline, None where none can be read."""
    try:
        return read_baseline(place.baseline(backend))
    except KerasReproError:
        return None
