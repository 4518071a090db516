"""Train a workload on several backends, side by side within the machine's cores."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.compare import EXACT, Comparison, Verdict, compare, first_nonfinite
from keras_repro.engines import Ended, Engine, Job
from keras_repro.errors import (
    CannotWriteError,
    ExitCode,
    KerasReproError,
    MissingError,
    UnreadableError,
    UsageError,
)
from keras_repro.recorder import layout
from keras_repro.recorder.__main__ import DEFAULT_SCRIPT
from keras_repro.recorder.facts import cpu_facts, file_sha256, recorder_sha256
from keras_repro.recorder.folder import abandon
from keras_repro.runs import Run, last_run, read_run, run_folder

POLL_SECONDS = 0.2
KILLED = (137, -9)  # as a container says it, and as a process


@dataclass(frozen=True)
class Plan:
    """What to train, on which backends, and where to keep it."""

    script: Path | None  # None: the default workload
    args: tuple[str, ...]
    backends: list[Backend]
    seed: int
    threads: int
    artifacts: Path
    if_needed: bool = False

    @property
    def workload(self) -> str:
        """The name the runs are kept under."""
        return layout.workload_name(str(self.script_path))

    @property
    def script_path(self) -> Path:
        """The script itself, also where it is the default."""
        return self.script or Path(DEFAULT_SCRIPT)

    def out(self, backend: Backend) -> Path:
        """Return the run folder of a backend."""
        return run_folder(self.artifacts, self.workload, backend.name)


@dataclass
class Progress:
    """How far one backend's training is; read while it runs."""

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
    """

    backend: Backend
    exit_code: ExitCode
    run: Run | None = None
    problem: str = ""
    seconds: float = 0.0
    skipped: bool = False
    repeat: list[Comparison] | None = None

    @property
    def repeats(self) -> bool | None:
        """Whether every bit came out the same again; None where there is nothing to say."""
        if self.repeat is None:
            return None
        return all(array.verdict is Verdict.IDENTICAL for array in self.repeat)


def train(plan: Plan, engine: Engine, on_start: Callable[[list[Progress]], None]) -> list[Trained]:
    """Train every backend of the plan; one backend's failure does not stop the others.

    ``on_start`` is given the progress of each backend, which goes on changing. KeyboardInterrupt
    ends every run at once and is raised again.
    """
    check_writable(plan.artifacts)
    progress = [Progress(backend, out=plan.out(backend)) for backend in plan.backends]
    on_start(progress)
    slots = max(1, (len(os.sched_getaffinity(0))) // plan.threads)
    pool = ThreadPoolExecutor(slots)
    # The longest first: the short ones fill the gaps at the end.
    by_length = sorted(progress, key=_last_seconds, reverse=True)
    futures = {
        entry.backend.name: pool.submit(_train_one, plan, engine, entry) for entry in by_length
    }
    try:
        wait(futures.values())
    except BaseException:
        engine.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    return [futures[backend.name].result() for backend in plan.backends]


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
    environment = engine.environment_id(backend)
    for what, is_now, was in (
        ("engine", engine.name, facts.engine),
        ("script", file_sha256(str(plan.script_path)), facts.script_sha256),
        ("arguments", list(plan.args), facts.script_args),
        ("seed", plan.seed, facts.seed),
        ("threads", plan.threads, facts.threads),
        ("lock file", backend.requirements_sha256, facts.requirements_sha256),
        ("recorder", recorder_sha256(), facts.recorder_sha256),
        ("image", environment, facts.image if engine.name == "docker" else environment),
    ):
        if is_now != was:
            return f"another {what}"
    return None


def _last_seconds(progress: Progress) -> float:
    """Return how long the last run took; one that never ran may have to be built first."""
    try:
        return read_run(progress.out).facts.durations.get("total", 0.0)
    except KerasReproError:
        return float("inf")


def _train_one(plan: Plan, engine: Engine, progress: Progress) -> Trained:
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
    backend, out = progress.backend, progress.out

    def say(phase: str) -> None:
        progress.phase = phase

    engine.prepare(backend, say)
    if plan.if_needed and stale_reason(plan, backend, engine) is None:
        return Trained(backend, ExitCode.OK, read_run(out), skipped=True)
    before = _previous(out)
    if before is not None:
        progress.expected_steps = before.facts.steps or None
    job = Job(backend, plan.script, plan.args, plan.seed, plan.threads, plan.artifacts, out)
    with _Watching(progress):
        ended = engine.run(job, say)
    seconds = time.monotonic() - started
    return _judge(backend, out, ended, seconds, before)


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
        problem = f"{run.facts.reason}; see {run.folder / layout.LOG}"
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
            "script_args",
            "seed",
            "threads",
            "requirements_sha256",
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
        if layout.COSTS + "/" in name and (index := first_nonfinite(array)) is not None:
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
        "schema_version": layout.SCHEMA_VERSION,
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
    return f"log: {place}/{layout.LOG}" if place else ""


class _Watching:
    """While entered, copies the recorder's step count into ``progress``."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()

    def _watch(self) -> None:
        path = Path(layout.progress_file(str(self.progress.out)))
        while not self.stop.wait(POLL_SECONDS):
            with suppress(OSError, ValueError):
                text = path.read_text()
                if not text:
                    self.progress.phase = "importing and compiling"
                else:
                    self.progress.phase, self.progress.steps = "training", int(text)
