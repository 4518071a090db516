"""Compare any two runs, or a run with a baseline, by their folders."""

from dataclasses import dataclass
from pathlib import Path

from keras_repro.errors import ExitCode, MissingError, RunFailedError, UnreadableError
from keras_repro.numbers.comparison import Comparison
from keras_repro.numbers.tolerances import DEFAULT
from keras_repro.recorder import contract
from keras_repro.runs.baselines import FACTS, Baseline, edited_message, read_baseline
from keras_repro.runs.causes import Cause, likely_causes
from keras_repro.runs.run import Run, read_run
from keras_repro.studies.check import AS_STORED, Options, compare_stored, edits
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides, Traced

TWO = Sides("in the second", "in the first")


@dataclass(frozen=True)
class Compared:
    """The second run against the first: ``expected`` and ``obtained`` are their folders."""

    expected: Path
    obtained: Path
    comparisons: list[Comparison]
    causes: list[Cause]
    trace: Traced | None = None

    @property
    def exit_code(self) -> ExitCode:
        """OK, or DRIFT."""
        passes = all(comparison.verdict.passes for comparison in self.comparisons)
        return ExitCode.OK if passes else ExitCode.DRIFT


def compare_folders(first: Path, second: Path, options: Options = AS_STORED) -> Compared:
    """Return how the run in the second folder differs from that in the first.

    A folder may be a baseline's. The tolerances are a baseline's own where the first is one.

    Raises:
        MissingError: a folder holds neither.
        RunFailedError: a run failed, so that it has no arrays.
        UnreadableError: one is damaged.
        UsageError: ``options.only`` matches no array.
    """
    expected, obtained = _read(first), _read(second)
    tolerance_of = expected.tolerance_of if isinstance(expected, Baseline) else lambda _: DEFAULT
    comparisons = compare_stored(
        obtained.all_arrays, expected.all_arrays, options.over(tolerance_of), options.only
    )
    causes = likely_causes(obtained.facts, expected.facts)
    if any(comparison.differing for comparison in comparisons):
        runs = [side for side in (expected, obtained) if isinstance(side, Run)]
        causes = [cause for run in runs for cause in edits(run)] + causes
    trace = traced(obtained, expected, comparisons, TWO)
    return Compared(first, second, comparisons, causes, trace)


def _read(folder: Path) -> Run | Baseline:
    if (folder / FACTS).is_file() and not (folder / contract.FACTS).exists():
        baseline = read_baseline(folder)
        if baseline.edited:
            raise UnreadableError(edited_message(baseline))
        return baseline
    try:
        run = read_run(folder)
    except MissingError:
        raise MissingError(
            f"{folder} is not a run folder: it holds no {contract.FACTS} (runs lie in "
            "artifacts/<workload>/<backend>)"
        ) from None
    if not run.facts.completed:
        raise RunFailedError(
            f"the run in {folder} failed, so it has no numbers: {run.facts.reason}"
        )
    return run
