"""Train a workload in some environment, once: what it left is kept, and asked for again there."""

import errno
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import (
    ExitCode,
    KerasReproError,
    RunFailedError,
    StoppedError,
    UnavailableError,
    UnreadableError,
)
from keras_repro.packages.resolve import DoesNotInstallError, whole
from keras_repro.project.workload import NO_INPUT, Workload
from keras_repro.recorder import contract
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.run import Run, last_run
from keras_repro.studies.train.plan import Plan, Progress, kept_as
from keras_repro.studies.train.staleness import other_condition
from keras_repro.studies.train.train import check_writable, train_one

# Reasons of failures that say nothing of another limit, or of another time.
MAY_GO_WELL = (contract.OVER_LIMIT, "out of memory?")
PROBLEM = "problem.json"
MOST_READ = 1 << 20
FOR_PEOPLE = frozenset((".html", ".md", ".rst", ".log", ".pdf"))


@dataclass(frozen=True)
class Trial:
    """What became of a workload in an environment.

    ``run`` is None where it told nothing, and ``problem`` says why: the environment does not
    install, or the script fails in it. ``cached`` says that it was tried before.
    """

    backend: Backend
    run: Run | None
    problem: str = ""
    seconds: float = 0.0
    cached: bool = False

    @property
    def undecided(self) -> bool:
        """Whether more might tell what it does not; a single run tells all that it can."""
        return False


def folder() -> Path:
    """Return where all that was tried is kept, under the name that it always had."""
    return user_cache_path("keras-repro") / "probes"


def try_in(
    workload: Workload,
    backend: Backend,
    engine: Engine,
    progress: Progress | None = None,
    among: Workload | None = None,
) -> Trial:
    """Return what becomes of a workload in an environment, training where that is not known.

    ``progress`` is filled on the way; a trial that is known from before does not touch it. The
    backend's locks hold all that the script needs: the workload's own requirements are not
    looked at. ``among`` is the workload of many seeds of which this is one: their runs are kept
    in one place, so that one recorder can make them.

    Raises:
        UnavailableError: this machine is the reason that nothing came of it.
        StoppedError: the engine was told to stop.
    """
    # The backend's locks hold them already.
    workload = _without_requirements(workload)
    of = workload if among is None else _without_requirements(among)
    backend = workload.on(backend)
    place = folder() / _key(of, backend, engine.name)
    kept = "" if among is None else kept_as(workload.conditions)
    plan = Plan(workload, [backend], place, kept=kept)
    known = _known(plan, backend, engine.name)
    if known is not None:
        return known
    progress = progress or Progress(backend.name, backend)
    progress.backend, progress.out = backend, plan.out(backend)

    def say(phase: str) -> None:
        progress.phase = phase

    check_writable(place)
    try:
        engine.prepare(backend, say)
    except DoesNotInstallError as error:
        write_whole(place / PROBLEM, json.dumps({"problem": str(error)}).encode())
        return Trial(backend, None, str(error))
    trained = train_one(plan, engine, progress)
    if trained.run is not None:
        _check_environment(trained.run, workload, backend, engine.name)
    if trained.run is not None and trained.run.facts.completed:
        return Trial(backend, trained.run, seconds=trained.seconds)
    if trained.exit_code is ExitCode.RUN_FAILED:
        if trained.run is None:  # killed, say: it may go well another time
            return Trial(backend, None, trained.problem, trained.seconds)
        return Trial(backend, None, _reason(trained.run), trained.seconds)
    error_of = {ExitCode.INTERRUPTED: StoppedError, ExitCode.UNAVAILABLE: UnavailableError}
    raise error_of.get(trained.exit_code, RunFailedError)(trained.problem)


def _check_environment(run: Run, workload: Workload, backend: Backend, engine: str) -> None:
    """Raise where a run was not made in the environment that was asked for."""
    other = other_condition(run.facts, workload, backend, engine)
    if other is not None:
        raise RunFailedError(f"the run was made with another {other} than was asked for")
    there = run.facts.packages
    for name, version in whole(backend).items():
        if there and there.get(name, version) != version:
            raise RunFailedError(
                f"the environment has {name} {there[name]} where its lock says {version}; "
                "keras-repro prune, and try again"
            )


def _without_requirements(workload: Workload) -> Workload:
    return replace(workload, conditions=workload.conditions.having(requirements=()))


def _known(plan: Plan, backend: Backend, engine: str) -> Trial | None:
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):  # as good as none
        problem = json.loads((plan.artifacts / PROBLEM).read_text(encoding="utf-8"))["problem"]
        return Trial(backend, None, str(problem), cached=True)
    with suppress(KerasReproError):
        run = last_run(plan.out(backend))
        if other_condition(run.facts, plan.workload, backend, engine) is not None:
            return None
        if not run.facts.completed:
            ended = any(words in (run.facts.reason or "") for words in MAY_GO_WELL)
            return None if ended else Trial(backend, None, _reason(run), cached=True)
        run.check_arrays()  # damaged or exchanged ones are as good as none
        return Trial(backend, run, cached=True)
    return None


def _reason(run: Run) -> str:
    hint = f"; {run.facts.hint}" if run.facts.hint else ""
    return f"the script fails: {run.facts.reason}{hint}"


def _key(workload: Workload, backend: Backend, engine: str) -> str:
    """Return a name for all that a trial depends on."""
    parts = (
        *(backend.name, backend.python, backend.keras_backend, backend.lock, backend.extra),
        *(engine, contract.recorder_sha256(), workload.name, workload.module, workload.args),
        *(file_sha256(workload.script_path), str(workload.folder), workload.conditions.key()),
        # What comes with keras-repro reads no file.
        "" if workload.is_builtin else _files(workload.folder),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


@cache
def _files(folder: Path) -> str:
    """Return what tells the files beside a script apart: any of them may be its data.

    Not what only people read, the reports among it; of large files only size and time.
    """
    digest = hashlib.sha256()
    for place, folders, names in os.walk(folder, onerror=_check_disk):
        folders[:] = sorted(n for n in folders if n not in NO_INPUT and not n.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or path.suffix in FOR_PEOPLE:
                continue
            try:
                state = path.stat()
            except OSError as error:  # it went away, or is a link to nowhere
                _check_disk(error)
                continue
            mark = f"{state.st_size} {state.st_mtime_ns}"
            # What cannot be read here, the script cannot either.
            if state.st_size <= MOST_READ and path.is_file() and os.access(path, os.R_OK):
                mark = str(file_sha256(path))
            digest.update(f"{path.relative_to(folder)} {mark}\0".encode())
    return digest.hexdigest()


def _check_disk(error: OSError) -> None:
    if error.errno == errno.EIO:
        raise UnreadableError(f"cannot read {error.filename}: {error.strerror}; mend its disk")
