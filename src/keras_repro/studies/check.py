"""Compare the runs of a workload with their baselines, and make runs the new baselines."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.baselines import (
    Baseline,
    baseline_folder,
    read_baseline,
    write_baseline,
)
from keras_repro.compare import Comparison, Verdict, compare, first_nonfinite
from keras_repro.errors import (
    ExitCode,
    KerasReproError,
    MissingError,
    RunFailedError,
    UnreadableError,
    gravest,
)
from keras_repro.recorder import layout
from keras_repro.runs import Run, last_run, run_folder


@dataclass(frozen=True)
class Place:
    """Which workload, and where its runs and baselines lie. ``argument`` names it to the user."""

    workload: str
    argument: str
    artifacts: Path
    baselines: Path

    def run(self, backend: Backend) -> Path:
        """Return a backend's run folder."""
        return run_folder(self.artifacts, self.workload, backend.name)

    def baseline(self, backend: Backend) -> Path:
        """Return a backend's baseline folder."""
        return baseline_folder(self.baselines, self.workload, backend.name)

    def command(self, verb: str, backend: Backend, rest: str = "") -> str:
        """Return the command that a user would type next."""
        parts = ["keras-repro", verb, self.argument, f"--backend {backend.name}", rest]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Checked:
    """What the check of one backend found."""

    backend: Backend
    exit_code: ExitCode
    problem: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    baseline: Baseline | None = None
    run: Run | None = None
    note: str = ""


def check(place: Place, backends: list[Backend], exact: bool = False) -> list[Checked]:
    """Return what became of each backend's numbers. ``exact`` asks for the same bits."""
    return [_check_one(place, backend, exact) for backend in backends]


def accept(place: Place, backend: Backend, run: Run, reason: str) -> None:
    """Make a run that was found good the baseline of its backend.

    The tolerances of the old baseline stay; a first one takes the backend's.
    """
    tolerances = backend.tolerances
    with suppress(MissingError, UnreadableError):
        tolerances = read_baseline(place.baseline(backend)).facts.tolerances
    write_baseline(place.baseline(backend), run, place.workload, reason, tolerances)


def proposal(place: Place, backend: Backend) -> tuple[Run, list[Comparison] | None]:
    """Return the run to accept and what it would change; None where there is no baseline yet.

    Raises:
        MissingError, UnreadableError: there is no run, or it cannot be read.
        RunFailedError: it failed, or its costs are not numbers.
    """
    run = _good_run(place, backend)
    for name, array in run.arrays.items():
        if layout.COSTS + "/" in name and first_nonfinite(array) is not None:
            raise RunFailedError(f"{name} of {backend.name} is not finite, so it is no baseline")
    try:
        baseline = read_baseline(place.baseline(backend))
    except (MissingError, UnreadableError):
        return run, None
    return run, compare(run.arrays, baseline.arrays, baseline.tolerance_of)


def _check_one(place: Place, backend: Backend, exact: bool) -> Checked:
    try:
        run = _good_run(place, backend)
        baseline = _baseline(place, backend)
        comparisons = compare(run.arrays, baseline.arrays, baseline.tolerance_of)
    except KerasReproError as error:
        return Checked(backend, error.exit_code, str(error))
    code, problem, note = ExitCode.OK, "", ""
    verdicts = {comparison.verdict for comparison in comparisons}
    if not all(verdict.passes for verdict in verdicts):
        code = ExitCode.DRIFT
    elif verdicts - {Verdict.IDENTICAL} and exact:
        code, note = ExitCode.DRIFT, "close, and --exact asks for the same bits"
    elif verdicts - {Verdict.IDENTICAL} and _same_place(run, baseline):
        note = (
            "close, but this is the image and the processor of the baseline, where the same bits "
            "are to be expected: is something in the script not seeded?"
        )
    if baseline.edited:
        code = gravest([code, ExitCode.UNREADABLE])
        problem = (
            f"{baseline.folder / layout.ARRAYS} is not the file that was accepted; restore it "
            f"(git checkout -- {baseline.folder})"
        )
    return Checked(backend, code, problem, comparisons, baseline, run, note)


def _good_run(place: Place, backend: Backend) -> Run:
    folder = place.run(backend)
    try:
        run = last_run(folder)
    except MissingError:
        remedy = place.command("train", backend)
        raise MissingError(f"no run in {folder}; train it: {remedy}") from None
    if not run.facts.completed:
        raise RunFailedError(f"the last run failed: {run.facts.reason}; see {run.folder}/log.txt")
    return run


def _baseline(place: Place, backend: Backend) -> Baseline:
    try:
        return read_baseline(place.baseline(backend))
    except MissingError as error:
        remedy = place.command("accept", backend, '--reason "..."')
        raise MissingError(f"{error}; accept the present run: {remedy}") from None


def _same_place(run: Run, baseline: Baseline) -> bool:
    known = baseline.facts.model_dump()
    return run.facts.image == known.get("image") and all(
        getattr(run.facts, name) == known.get(name)
        for name in ("engine", "requirements_sha256", "script_sha256", "seed", "threads", "cpu")
    )
