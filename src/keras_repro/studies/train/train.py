"""Train workloads on several backends, side by side within the machine's cores."""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.engines import Engine, Job
from keras_repro.errors import CannotWriteError, ExitCode, KerasReproError, UsageError
from keras_repro.packages.extra import with_extra
from keras_repro.runs.repeated import write_not_repeated
from keras_repro.runs.run import Run, read_run
from keras_repro.studies.train.nondeterminism import first_to_part
from keras_repro.studies.train.outcome import judge
from keras_repro.studies.train.plan import Plan, Progress, Trained, Watching
from keras_repro.studies.train.repeat import repeat_on_purpose
from keras_repro.studies.train.staleness import stale_reason


def train(
    plans: list[Plan], engine: Engine, on_start: Callable[[list[Progress]], None]
) -> list[list[Trained]]:
    """Train every backend of each plan; one's failure does not stop the others.

    ``on_start`` is given the progress of each, which goes on changing. KeyboardInterrupt ends
    every run at once and is raised again.
    """
    for artifacts in {plan.artifacts for plan in plans}:
        check_writable(artifacts)
    tasks = [
        (plan, Progress(_label(plan, backend, plans), backend, out=plan.out(backend)))
        for plan in plans
        for backend in plan.backends
    ]
    on_start([progress for _, progress in tasks])
    slots = max(1, engine.slots // max([plan.workload.conditions.threads for plan in plans] or [1]))
    pool = ThreadPoolExecutor(slots)
    # The longest first: the short ones fill the gaps at the end.
    by_length = sorted(tasks, key=lambda task: _last_seconds(task[1]), reverse=True)
    futures = {
        id(progress): pool.submit(train_one, plan, engine, progress) for plan, progress in by_length
    }
    try:
        wait(futures.values())
    except BaseException:
        engine.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    return [
        [futures[id(progress)].result() for of, progress in tasks if of is plan] for plan in plans
    ]


def _label(plan: Plan, backend: Backend, plans: list[Plan]) -> str:
    return backend.name if len(plans) == 1 else f"{plan.workload.name} {backend.name}"


def check_writable(artifacts: Path) -> None:
    """Make the artifacts folder, or raise CannotWriteError or UsageError."""
    if artifacts.exists() and not artifacts.is_dir():
        raise UsageError(f"{artifacts} is not a folder; name another with --artifacts")
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=artifacts):  # without a name: a kill leaves nothing
            pass
    except OSError as error:
        raise CannotWriteError(
            f"cannot write to {artifacts}: {error.strerror}; mend its permissions, or name "
            "another folder with --artifacts"
        ) from None


def _last_seconds(progress: Progress) -> float:
    """Return how long the last run took; one that never ran may have to be built first."""
    try:
        return read_run(progress.out).facts.durations.get("total", 0.0)
    except KerasReproError:
        return float("inf")


def train_one(plan: Plan, engine: Engine, progress: Progress) -> Trained:
    """Train one backend of a plan; a failure is told in what is returned."""
    backend, started = progress.backend, time.monotonic()
    try:
        trained = _prepare_and_run(plan, engine, progress, started)
    except KerasReproError as error:
        trained = Trained(backend, error.exit_code, problem=str(error))
    except OSError as error:
        problem = f"{error.filename or 'a file'}: {error.strerror or error}"
        trained = Trained(backend, ExitCode.CANNOT_WRITE, problem=problem)
    progress.phase = (trained.problem and "failed") or "done"
    progress.done = True
    return trained


def _prepare_and_run(plan: Plan, engine: Engine, progress: Progress, started: float) -> Trained:
    workload, out = plan.workload, progress.out

    def say(phase: str) -> None:
        progress.phase = phase

    for why in workload.outside.values():
        raise UsageError(why)
    if workload.requirement_files or workload.requirements:
        say("locking the extra packages")
    backend = with_extra(progress.backend, workload.requirement_files, workload.requirements)
    backend = workload.on(backend)
    engine.prepare(backend, say)
    if plan.if_needed and stale_reason(plan, backend, engine) is None:
        return Trained(backend, ExitCode.OK, read_run(out), skipped=True)
    before = _previous(out)
    if before is not None:
        progress.expected_steps = before.facts.steps or None
    job = Job(backend, workload, plan.artifacts, plan.folder(backend), plan.parity)
    with Watching(progress, job.out):
        ended = engine.run(job, say)
    trained = judge(engine, job, ended, time.monotonic() - started, before)
    if plan.repeat > 1 and trained.exit_code in (ExitCode.OK, ExitCode.DRIFT):
        trained = repeat_on_purpose(plan, engine, progress, trained, say, started)
    if (parted := first_to_part(trained.repeat or [])) is not None:
        try:
            write_not_repeated(out, parted.name)
        except CannotWriteError as error:  # what was found is said all the same
            trained = replace(trained, problem=str(error))
    return trained


def _previous(out: Path) -> Run | None:
    """Return the good run that stands there, its arrays open, or None."""
    with suppress(KerasReproError):
        run = read_run(out)
        if run.facts.completed:
            run.all_arrays  # noqa: B018 - opened now: the new run takes its place
            return run
    return None
