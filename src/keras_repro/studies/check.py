"""Compare the runs of a workload with their baselines."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from keras_repro.backends import Backend
from keras_repro.errors import (
    ExitCode,
    KerasReproError,
    MissingError,
    RunFailedError,
    UnreadableError,
    UsageError,
    gravest,
)
from keras_repro.numbers.comparison import Comparison, Verdict, compare
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.envelopes import Envelope
from keras_repro.numbers.tolerances import matching_tolerance
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.runs import by_class
from keras_repro.runs.baselines import (
    Baseline,
    baseline_folder,
    edited_message,
    read_baseline,
)
from keras_repro.runs.causes import Cause, likely_causes, machine_causes
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run, last_run, run_folder
from keras_repro.runs.summaries import Kept

if TYPE_CHECKING:
    from keras_repro.studies.first_link.found import Traced

VERIFIED_BYTES = 1 << 26

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A workload, and where its runs and baselines lie."""

    of: Workload
    artifacts: Path
    baselines: Path

    @property
    def workload(self) -> str:
        """The workload's name."""
        return self.of.name

    @property
    def argument(self) -> str:
        """How the user names the workload."""
        return self.of.argument

    def run(self, backend: Backend) -> Path:
        """Return a backend's run folder."""
        return run_folder(self.artifacts, self.workload, backend.name)

    def baseline(self, backend: Backend) -> Path:
        """Return a backend's baseline folder: the plain one, of whatever numeric class it is."""
        return baseline_folder(self.baselines, self.workload, backend.name)

    def tolerance_of(self, baseline: Baseline) -> Callable[[str], Tolerance]:
        """Return the tolerances: the configuration's where a pattern matches, else the stored."""

        def tolerance(name: str) -> Tolerance:
            own = matching_tolerance(name, self.of.tolerances)
            return baseline.tolerance_of(name) if own is None else own

        return tolerance

    def command(self, verb: str, backend: Backend, rest: str = "") -> str:
        """Return the command that a user would type next."""
        parts = ["keras-repro", verb, self.argument, f"--backend {backend.name}", rest]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Options:
    """What is asked of a comparison.

    ``exact`` asks for the same bits; ``rtol`` and ``atol`` replace the baselines'; ``only``
    limits it to the arrays whose names match one of its patterns.
    """

    exact: bool = False
    rtol: float | None = None
    atol: float | None = None
    only: tuple[str, ...] = ()

    def over(self, tolerance_of: Callable[[str], Tolerance]) -> Callable[[str], Tolerance]:
        """Return the tolerances with those that are asked for instead; of measured ones all."""
        if self.rtol is None and self.atol is None:
            return tolerance_of

        def replaced(name: str) -> Tolerance:
            given = tolerance_of(name)
            if isinstance(given, Envelope):
                return Tolerance(self.rtol or 0.0, self.atol or 0.0)
            return Tolerance(
                given.rtol if self.rtol is None else self.rtol,
                given.atol if self.atol is None else self.atol,
            )

        return replaced


AS_STORED = Options()


@dataclass(frozen=True)
class Checked:
    """What the check of one backend found.

    ``causes`` are the facts in which the run differs from the baseline, the likeliest first;
    None where there is nothing to compare. ``run`` may be a failed one.
    """

    backend: Backend
    exit_code: ExitCode
    problem: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    baseline: Baseline | None = None
    run: Run | None = None
    note: str = ""
    causes: list[Cause] | None = None

    @cached_property
    def trace(self) -> "Traced | None":
        """What the trails tell, None where one of them is not there; read when it is asked for."""
        from keras_repro.studies.first_link.between import traced  # noqa: PLC0415

        if self.run is None or self.baseline is None or not self.comparisons:
            return None
        return traced(self.run, self.baseline, self.comparisons)

    @property
    def lacks_trail(self) -> bool:
        """Whether the run has a trail, and the baseline is from before there were any."""
        if self.run is None or self.baseline is None or not self.run.facts.completed:
            return False
        return self.run.trail.content is not None and self.baseline.facts.trail_sha256 is None


def check(place: Place, backends: list[Backend], options: Options = AS_STORED) -> list[Checked]:
    """Return what became of each backend's numbers.

    Raises:
        UsageError: ``options.only`` matches no array of any backend.
    """
    results = [_check_one(place, backend, options) for backend in backends]
    if options.only and all(result.exit_code is ExitCode.USAGE for result in results):
        raise UsageError(results[0].problem)
    return results


def check_all(
    asked: list[tuple[Place, list[Backend]]], options: Options = AS_STORED
) -> list[tuple[str, list[Checked]]]:
    """Return what became of the numbers of several workloads, by the workloads' names.

    A workload that has no array ``options.only`` matches is left out.

    Raises:
        UsageError: ``options.only`` matches no array of any workload.
    """
    results, problem = [], None
    for place, backends in asked:
        try:
            results.append((place.workload, check(place, backends, options)))
        except UsageError as error:
            problem = error
    if not results and problem is not None:
        raise problem
    return results


def check_run(place: Place, backend: Backend, run: Run, options: Options = AS_STORED) -> Checked:
    """Return what became of the numbers of this run, whatever lies in its folder by now."""
    return _check_one(place, backend, options, run)


def compare_stored(
    obtained: Mapping[str, Kept],
    expected: Mapping[str, Kept],
    tolerance_of: Callable[[str], Tolerance],
    only: tuple[str, ...] = (),
) -> list[Comparison]:
    """Return the comparisons of arrays in files.

    Raises:
        UnreadableError: an array that differs is damaged. One of more than ``VERIFIED_BYTES`` is
            taken as it is: reading it again would take longer than comparing.
        UsageError: ``only`` matches none.
    """
    if not obtained and not expected:
        raise UnreadableError("neither side holds an array, so there is nothing to compare")
    comparisons = compare(obtained, expected, tolerance_of, only)
    if not comparisons:
        raise no_match(only, sorted({*obtained, *expected}, key=contract.in_order))
    for comparison in comparisons:
        for side in (obtained, expected) if comparison.differing else ():
            array = side[comparison.name]
            if isinstance(array, Stored) and array.nbytes <= VERIFIED_BYTES:
                array.verify()
    return comparisons


def no_match(only: tuple[str, ...], names: list[str]) -> UsageError:
    """Return the error that says that no array has such a name."""
    patterns = " or ".join(map(repr, only))
    return UsageError(f"no array matches {patterns}; there are {', '.join(names[:8])}")


def edits(run: Run) -> list[Cause]:
    """Return as a cause that a run's arrays are not those that it wrote; looked at where small."""
    with suppress(UnreadableError):  # it was read a moment ago
        if run.samples_edited:
            return [_edit(contract.SAMPLES, run)]
        if os.fstat(run.arrays.descriptor).st_size > VERIFIED_BYTES:
            return []
        if run.arrays_sha256 != run.facts.arrays_sha256:
            return [_edit(contract.ARRAYS, run)]
    return []


def _edit(name: str, run: Run) -> Cause:
    return Cause(f"{name} of {run.folder.name}", "as it was written", "edited")


def good_run(place: Place, backend: Backend) -> Run:
    """Return the last run of a backend.

    Raises:
        MissingError: there is none.
        RunFailedError: it failed.
        UnreadableError: it is damaged.
    """
    run = _last_run(place, backend)
    if not run.facts.completed:
        raise RunFailedError(_failure(run))
    return run


def _check_one(place: Place, backend: Backend, options: Options, run: Run | None = None) -> Checked:
    errors: list[KerasReproError] = []
    if run is None:
        run = _or_error(errors, lambda: _last_run(place, backend))
    if run is not None and not run.facts.completed:
        errors.append(RunFailedError(_failure(run)))
    facts = None if run is None else run.facts
    choice = _or_error(errors, lambda: by_class.choose(place.baseline(backend), facts))
    baseline = _or_error(errors, lambda: _baseline(place, backend, choice)) if choice else None
    comparisons: list[Comparison] | None = None
    if run is not None and baseline is not None and not errors:
        mine, theirs = run, baseline
        tolerance_of = options.over(place.tolerance_of(baseline))
        comparisons = _or_error(
            errors,
            lambda: compare_stored(mine.all_arrays, theirs.all_arrays, tolerance_of, options.only),
        )
    if run is None or choice is None or baseline is None or comparisons is None:
        return Checked(backend, errors[0].exit_code, str(errors[0]), baseline=baseline, run=run)
    code, problem, note = ExitCode.OK, "", ""
    causes = likely_causes(run.facts, baseline.facts)
    same_image = run.facts.image == baseline.facts.image
    verdicts = {comparison.verdict for comparison in comparisons}
    if not all(verdict.passes for verdict in verdicts):
        code = ExitCode.DRIFT
    elif verdicts - {Verdict.IDENTICAL} and options.exact:
        code, note = ExitCode.DRIFT, "close, and --exact asks for the same bits"
    elif (
        verdicts - {Verdict.IDENTICAL}
        and not baseline.mixed
        and not machine_causes(run.facts, baseline.facts)
        and same_image
    ):
        machine = "numeric class" if causes else "processor"
        note = (
            f"close, but this is the image and the {machine} of the baseline, where the same bits "
            "are to be expected: is something in the script not seeded?"
        )
    note = "; ".join(filter(None, [by_class.said(choice, run.facts), note]))
    if baseline.edited:
        code = gravest([code, ExitCode.UNREADABLE])
        problem = edited_message(baseline)
    if verdicts - {Verdict.IDENTICAL}:
        causes = edits(run) + causes
    return Checked(backend, code, problem, comparisons, baseline, run, note, causes)


def _or_error(errors: list[KerasReproError], read: Callable[[], T]) -> T | None:
    """Return what is read; a problem with a run or baseline is added to the errors."""
    try:
        return read()
    except KerasReproError as error:
        errors.append(error)
        return None


def _last_run(place: Place, backend: Backend) -> Run:
    folder = place.run(backend)
    try:
        return last_run(folder)
    except MissingError:
        remedy = place.command("train", backend)
        raise MissingError(f"no run in {folder}; train it: {remedy}") from None


def _failure(run: Run) -> str:
    return f"the last run failed: {run.facts.reason}; see {run.folder / contract.LOG}"


def _baseline(place: Place, backend: Backend, choice: by_class.Choice) -> Baseline:
    try:
        return read_baseline(choice.folder)
    except MissingError as error:
        remedy = place.command("accept", backend, '--reason "..."')
        raise MissingError(f"{error}; accept the present run: {remedy}") from None
