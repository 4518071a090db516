"""Train workloads on several backends, side by side within the machine's cores."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.engines import Ended, Engine, Job, Say
from keras_repro.errors import (
    CannotWriteError,
    ExitCode,
    KerasReproError,
    MissingError,
    UnreadableError,
    UsageError,
)
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict, compare, first_nonfinite
from keras_repro.packages.extra import with_extra
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.recorder.facts import cpu_facts, file_sha256, recorder_sha256
from keras_repro.recorder.folder import abandon
from keras_repro.recorder.seeding import RECORDED_VARIABLES, shown
from keras_repro.runs.run import Run, RunFacts, last_run, read_run, run_folder
from keras_repro.studies.train.nondeterminism import Suspect, first_to_part, suspects

POLL_SECONDS = 0.2
KILLED = (137, -9)  # as a container says it, and as a process


@dataclass(frozen=True)
class Plan:
    """What to train, on which backends, and where to keep it.

    ``repeat`` is how often: each run of the same seed is compared with the first. ``below`` is a
    folder between the workload's and the backends'; ``parity`` what an engine's Job has.
    """

    workload: Workload
    backends: list[Backend]
    artifacts: Path
    if_needed: bool = False
    repeat: int = 1
    below: str = ""
    parity: str | Path | None = None

    def folder(self, backend: Backend) -> str:
        """Return the name of a backend's run folder, below the workload's."""
        return f"{self.below}/{backend.name}" if self.below else backend.name

    def out(self, backend: Backend) -> Path:
        """Return the run folder of a backend."""
        return run_folder(self.artifacts, self.workload.name, self.folder(backend))


@dataclass
class Progress:
    """How far one backend's training is; read while it runs."""

    label: str
    backend: Backend
    phase: str = "waiting"
    steps: int = 0
    expected_steps: int | None = None
    done: bool = False
    out: Path = field(default_factory=Path)


@dataclass(frozen=True)
class Trained:
    """How one backend's training ended.

    ``repeat`` compares with the run that stood there before, where that one was made from the
    same script, seed and environment on the same processor: there every bit must be the same.
    Where runs were repeated on purpose, it compares the first that parts, or the last, with the
    first; ``runs`` is how many were made, and ``suspects`` what may be why they part.
    """

    backend: Backend
    exit_code: ExitCode
    run: Run | None = None
    problem: str = ""
    seconds: float = 0.0
    skipped: bool = False
    repeat: list[Comparison] | None = None
    runs: int = 1
    suspects: list[Suspect] = field(default_factory=list)

    @property
    def repeats(self) -> bool | None:
        """Whether every bit came out the same again; None where there is nothing to say."""
        if self.repeat is None:
            return None
        return all(array.verdict is Verdict.IDENTICAL for array in self.repeat)


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
    cores = len(os.sched_getaffinity(0))
    slots = max(1, cores // max([plan.workload.threads for plan in plans] or [1]))
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
    probe = artifacts / f".writable-{os.getpid()}"
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotWriteError(
            f"cannot write to {artifacts}: {error.strerror}; mend its permissions, or name "
            "another folder with --artifacts"
        ) from None


def stale_reason(plan: Plan, backend: Backend, engine: Engine) -> str | None:
    """Return why the run there is not the one the plan would make, or None where it is."""
    try:
        run = last_run(plan.out(backend))
        for array in run.arrays.values():
            array.verify()  # damaged arrays are as good as none
    except MissingError:
        return "there is no run"
    except UnreadableError:
        return "the run is damaged"
    facts = run.facts
    if not facts.completed or _cost_problem(run):
        return "the last run failed"
    if (other := other_condition(facts, plan.workload, backend, engine.name)) is not None:
        return f"another {other}"
    if engine.name == "docker" and engine.environment_id(backend) != facts.image:
        return "another image"
    return None


def other_condition(
    facts: RunFacts, workload: Workload, backend: Backend, engine: str
) -> str | None:
    """Return what a run's facts say is another than the workload would have now, or None."""
    modules = {name: file_sha256(str(workload.folder / name)) for name in facts.modules}
    own = {
        name: value
        for name, value in facts.environment.items()
        if name not in RECORDED_VARIABLES or name in workload.environment
    }
    for what, is_now, was in (
        ("engine", engine, facts.engine),
        ("script", file_sha256(str(workload.script_path)), facts.script_sha256),
        ("module beside the script", modules, facts.modules),
        ("arguments", list(workload.args), facts.script_args),
        ("seed", workload.seed, facts.seed),
        ("threads", workload.threads, facts.threads),
        ("environment", shown(workload.environment), own),
        ("data", sorted(data.place for data in workload.data if data.is_linked), facts.data),
        ("datasets", workload.datasets is not None, facts.datasets),
        ("lock file", backend.requirements_sha256, facts.requirements_sha256),
        ("extra packages", backend.extra_sha256, facts.extra_requirements_sha256),
        ("recorder", recorder_sha256(), facts.recorder_sha256),
    ):
        if is_now != was:
            return what
    return None


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

    if workload.requirement_files or workload.requirements:
        say("locking the extra packages")
    backend = with_extra(progress.backend, workload.requirement_files, workload.requirements)
    engine.prepare(backend, say)
    if plan.if_needed and stale_reason(plan, backend, engine) is None:
        return Trained(backend, ExitCode.OK, read_run(out), skipped=True)
    before = _previous(out)
    if before is not None:
        progress.expected_steps = before.facts.steps or None
    job = Job(backend, workload, plan.artifacts, plan.folder(backend), plan.parity)
    with _Watching(progress, job.out):
        ended = engine.run(job, say)
    trained = _judge(backend, out, ended, time.monotonic() - started, before)
    if plan.repeat == 1 or trained.exit_code not in (ExitCode.OK, ExitCode.DRIFT):
        return trained
    return _repeat_on_purpose(plan, engine, progress, trained, say, started)


def _repeat_on_purpose(
    plan: Plan, engine: Engine, progress: Progress, first: Trained, say: Say, started: float
) -> Trained:
    """Train again and again until a run parts from the first, which is kept beside it then."""
    run, backend, workload = first.run, first.backend, plan.workload
    if run is None:
        raise MissingError(f"no run in {progress.out}; train it again")
    run.arrays  # noqa: B018 - opened now, whatever becomes of its folder
    job = Job(backend, workload, plan.artifacts, f"{backend.name}.repeat")
    trained, comparisons, label = first, list[Comparison](), progress.label
    for number in range(2, plan.repeat + 1):
        progress.steps, progress.expected_steps = 0, run.facts.steps or None
        progress.label = f"{label} {number}/{plan.repeat}"
        with _Watching(progress, job.out):
            ended = engine.run(job, say)
        trained = _judge(backend, job.out, ended, time.monotonic() - started, None)
        if trained.run is None or trained.exit_code:
            return replace(trained, runs=number)
        comparisons = compare(trained.run.arrays, run.arrays, lambda name: EXACT)
        if first_to_part(comparisons) is not None:
            files = [workload.script, *map(Path, run.facts.modules)]
            found = suspects(workload.folder, files, workload.threads)
            return replace(
                trained,
                exit_code=ExitCode.DRIFT,
                repeat=comparisons,
                runs=number,
                suspects=found,
            )
    _remove_run(job.out)
    return replace(trained, run=run, repeat=comparisons, runs=plan.repeat)


def _remove_run(folder: Path) -> None:
    """Remove a run's own files, and its folder where nobody put anything else there."""
    for name in contract.OWN_ENTRIES:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _judge(
    backend: Backend, out: Path, ended: Ended, seconds: float, before: Run | None
) -> Trained:
    status = ended.status
    if status == 0:
        run = read_run(out)
        progress_problem = _cost_problem(run)
        if progress_problem:
            return Trained(backend, ExitCode.RUN_FAILED, run, progress_problem, seconds)
        repeat = _repeat(run, before)
        code = ExitCode.OK
        if repeat is not None and any(c.verdict is not Verdict.IDENTICAL for c in repeat):
            code = ExitCode.DRIFT
        return Trained(backend, code, run, "", seconds, repeat=repeat)
    if status == ExitCode.RUN_FAILED:
        run = last_run(out)
        hint = f"; {run.facts.hint}" if run.facts.hint else ""
        problem = f"{run.facts.reason}{hint}; see {run.folder / contract.LOG}"
        return Trained(backend, ExitCode.RUN_FAILED, run, problem, seconds)
    if status in (ExitCode.CANNOT_WRITE, ExitCode.USAGE, ExitCode.INTERRUPTED):
        return Trained(backend, ExitCode(status), None, ended.complaint, seconds)
    if status in KILLED:
        reason = f"killed together with its recorder (exit status {status}); out of memory?"
    else:
        reason = f"it ended with exit status {status} and left no run: {ended.complaint}"
    place = _abandon(out, backend, reason)
    return Trained(backend, ExitCode.RUN_FAILED, None, f"{reason} {place}".strip(), seconds)


def _previous(out: Path) -> Run | None:
    """Return the good run that stands there, its arrays open, or None."""
    with suppress(KerasReproError):
        run = read_run(out)
        if run.facts.completed:
            run.arrays  # noqa: B018 - opened now: the new run takes its place
            return run
    return None


def _repeat(run: Run, before: Run | None) -> list[Comparison] | None:
    if before is None or not _same_conditions(run, before):
        return None
    return compare(run.arrays, before.arrays, lambda name: EXACT)


def _same_conditions(run: Run, before: Run) -> bool:
    """Whether two runs were made of the same things: there only chance could part them."""
    return all(
        getattr(run.facts, name) == getattr(before.facts, name)
        for name in (
            "script_sha256",
            "modules",
            "data",
            "script_args",
            "seed",
            "threads",
            "requirements_sha256",
            "extra_requirements_sha256",
            "recorder_sha256",
            "engine",
            "image",
            "cpu",
            "packages",
            "environment",
        )
    )


def _cost_problem(run: Run) -> str:
    for name, array in run.arrays.items():
        if contract.COSTS + "/" in name and (index := first_nonfinite(array)) is not None:
            kind = "step" if name.endswith("/train") else "test"
            where = f"{kind} {index[0] if index else 0}"
            value = array.load()[index]
            return (
                f"{name} is {value} from {where} on: the training diverged; "
                "lower the learning rate, or look at the data"
            )
    return ""


def _abandon(out: Path, backend: Backend, reason: str) -> str:
    facts = {
        "schema_version": contract.SCHEMA_VERSION,
        "reason": reason,
        "script": out.parent.name,
        "script_sha256": None,
        "seed": 0,
        "threads": 0,
        "backend": backend.name,
        "started": "",
        "durations": {},
        "cpu": cpu_facts(),
    }
    place = abandon(str(out), facts)
    return f"log: {place}/{contract.LOG}" if place else ""


class _Watching:
    """While entered, copies the recorder's step count into ``progress``."""

    def __init__(self, progress: Progress, out: Path) -> None:
        self.progress = progress
        self.out = out
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()

    def _watch(self) -> None:
        path = Path(contract.progress_file(str(self.out)))
        while not self.stop.wait(POLL_SECONDS):
            with suppress(OSError, ValueError):
                text = path.read_text()
                if not text:
                    self.progress.phase = "importing and compiling"
                else:
                    self.progress.phase, self.progress.steps = "training", int(text)
