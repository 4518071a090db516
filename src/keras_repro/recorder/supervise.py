"""The parent process: runs the script in a child, keeps its log, and writes the run folder.

It outlives the child, so that a script that is killed still leaves a run that says so.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import sys
import tempfile
import time
from typing import Any, BinaryIO, ContextManager, Dict, Iterator, Optional, Sequence, Tuple

from keras_repro.recorder import (
    advice,
    caches,
    contract,
    facts,
    folder,
    portable,
    seeding,
    verify,
    working_copy,
)
from keras_repro.recorder.become import becoming
from keras_repro.recorder.child import Child
from keras_repro.recorder.ended import not_recorded, why_failed
from keras_repro.recorder.forks import Forks, NotForkedError
from keras_repro.recorder.log import Log
from keras_repro.recorder.numeric_class.kept import numeric_class
from keras_repro.recorder.request import Request, facts_asked, facts_before
from keras_repro.recorder.scratch import scratch

LONGEST_LINE = 8000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ScratchError(Exception):
    """The folder that the script was to run in cannot be laid out."""


class Interrupted(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Alone:
    """What a run does for itself that is the only one of its recorder; serve.py has others."""

    def place(self) -> ContextManager[str]:
        """Give a folder for the time of the run."""
        return scratch()

    def cache(self, request: Request) -> Optional[caches.Cache]:
        """Return what the run is to fill and to keep."""
        return caches.prepare(request)

    def forks_for(self, request: Request, place: working_copy.Work) -> Optional[Forks]:
        """Return None: no process forks."""

    def ended(self, child: Child, good: bool) -> None:
        """Take note of how the run ended: nobody asks."""

    forking = False  # whether the script's process is to be forked
    has_forks = False  # whether there is a process of the script's user that outlives the run
    tells_imports = False  # whether it is to say what it imported


def run(request: Request, means: Alone = Alone()) -> int:  # noqa: B008 - it has no state
    """Run the script and leave a run folder at ``request.out``; return the exit code."""

    def on_wait() -> None:
        tell("another training writes %s; waiting for it to end" % request.out)

    watch_signals()
    try:
        with folder.locked(request.out, on_wait):
            staging, published = folder.prepare(request.out), None
            try:
                with contextlib.ExitStack() as stack:
                    with _in_scratch():
                        place = _laid_out(stack.enter_context(means.place()), request)
                    published, reason = _run_in(staging, place, request, means)
            finally:
                problem = tidied(staging, request.out, published)
                if problem:
                    tell(problem)
        if reason is None:
            return 0
        log_place = os.path.join(published, contract.LOG)
        tell("%s failed: %s (log: %s)" % (request.script, reason, log_place))
        return contract.EXIT_FAILED
    except working_copy.ClosedError as error:
        tell("the script's user cannot read %s; chmod o+rX it" % error)
        return contract.EXIT_USAGE
    except ScratchError as error:
        tell(
            "cannot lay out the folder for the script in %s: %s; make room there, or set TMPDIR. "
            "The last good run is untouched" % (_temporary_folder(), error)
        )
        return contract.EXIT_CANNOT_WRITE
    except folder.NotARunFolderError as error:
        tell("%s; nothing was run. Name another folder, or empty that one" % error)
        return contract.EXIT_USAGE
    except OSError as error:
        tell(
            "cannot write the run to %s: %s; free some space or mend the permissions, "
            "then run it again. The last good run is untouched"
            % (request.out, error.strerror or error)
        )
        return contract.EXIT_CANNOT_WRITE
    except NotForkedError as error:
        tell("no process is forked for %s: %s" % (request.script, error))
        return contract.EXIT_NOT_FORKED
    except Interrupted:
        tell("interrupted; no run was kept of %s" % request.script)
        return contract.EXIT_INTERRUPTED


def abandon(request: Request, reason: str) -> int:
    """Publish as failed the run whose supervisor was killed with its container; print its place.

    Nothing is printed where no staging folder is left.
    """
    known = facts_asked(request)
    known.update(reason=reason, started="", durations={}, cpu=facts.cpu_facts())
    try:
        place = folder.abandon(request.out, known)
    except OSError:
        return contract.EXIT_CANNOT_WRITE
    if place is not None:
        print(place)
    return 0


def _laid_out(scratch_folder: str, request: Request) -> working_copy.Work:
    """Return the folder that the script runs in. Raises OSError and ClosedError."""
    return working_copy.make(
        os.getcwd(),
        scratch_folder,
        list(request.conditions.data),
        request.conditions.datasets,
        os.environ.get("KERAS_HOME"),
        request.run_as,
        request.conditions.surroundings.get("folder", working_copy.FOLDER),
    )


@contextlib.contextmanager
def _in_scratch() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ScratchError(error.strerror or error) from None


def _temporary_folder() -> str:
    return tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - as Python's own


def tidied(staging: str, out: str, published: Optional[str]) -> Optional[str]:
    """Remove what is left of a run that was not published, or what a published one replaced.

    That it cannot be removed changes nothing of the run: what to say of it is returned, in a line.
    """
    try:
        if published is None:
            folder.clear(staging, out)
        else:
            folder.tidy(out, published)
    except OSError as error:
        why = error.strerror or error
        if published is None:
            return "cannot remove %s: %s; the next run tries again" % (staging, why)
        left = staging if os.path.lexists(staging) else contract.failed_folder(out)
        return (
            "the run stands in %s, but what it replaced could not be removed: %s; until the next "
            "run, what is left of it lies in %s" % (published, why, left)
        )
    return None


def _run_in(
    staging: str, place: working_copy.Work, request: Request, means: Alone
) -> Tuple[str, Optional[str]]:
    """Run the script and publish its run; return where, and why it failed where it did."""
    clock = time.monotonic()
    conditions = request.conditions
    with contextlib.ExitStack() as files:
        log_file, progress = (
            files.enter_context(open(os.path.join(staging, name), "x+b", buffering=0))
            for name in (contract.LOG, contract.PROGRESS)
        )
        log = Log(log_file.fileno(), conditions.log_limit)
        cache = means.cache(request)
        child, known = _run_child(staging, place, request, means, log, progress)
        if child.log_error is not None:
            raise child.log_error
        if "cannot_write" in child.said:
            raise OSError(0, child.said["cannot_write"])
        log.finish()
        folder.take_over(staging, copying=means.has_forks)
        arrays = os.path.join(staging, contract.ARRAYS)
        reason = child.failure or why_failed(child, request)
        reason = reason or verify.problem(arrays, child.said["arrays"])
        samples = os.path.join(staging, contract.SAMPLES)
        summaries = {} if reason else child.said["summaries"]
        reason = reason or _problem_of_samples(samples, summaries)
        means.ended(child, not reason)
        if cache is not None and not reason:
            caches.keep(cache)
        kept = working_copy.keep(
            place, os.path.join(staging, contract.FILES), conditions.files_limit
        )
        network = child.said.get("network", [])
        in_container = os.environ.get("KERAS_REPRO_ENGINE") == "docker"
        given = conditions.datasets is not None
        hint = advice.hint(reason or "", network, in_container, given)
        if request.processor is not None:
            hint = advice.of_emulation(reason or "") or hint
        for library, why in known.get("portable_left_out", {}).items():
            log.add(advice.visible("left out of the portable settings: %s: %s" % (library, why)))
        for line in (
            "the run failed: %s" % reason if reason else None,
            advice.about_files(kept.left_out, conditions.files_limit),
            hint,
            advice.about_class(known["numeric_class"]),
        ):
            if line:
                log.add(advice.visible(line))
    known.update(
        outcome=contract.FAILED if reason else contract.COMPLETED,
        reason=reason,
        hint=hint,
        network=network,
        modules=child.said.get("modules", {}),
        files=kept.files,
        files_left_out=kept.left_out,
        keras=child.said.get("keras"),
        packages=child.said.get("packages", known["packages"]),
        determinism=child.said.get("determinism", {}),
        steps=child.said.get("steps", 0),
        arrays={} if reason else child.said["arrays"],
        not_recorded=dict(known.get("not_recorded", {}), **not_recorded(child)),
        arrays_sha256=None if reason else facts.file_sha256(arrays),
    )
    if conditions.planted:
        known["planted_in"] = child.said.get("planted", {})
    if summaries and not reason:
        known.update(
            schema_version=contract.SUMMARIES_SCHEMA,
            summaries=summaries,
            samples_sha256=facts.file_sha256(samples),
        )
    known["durations"] = {
        "script": round(child.script_seconds, 3),
        "total": round(time.monotonic() - clock, 3),
    }
    _ignore_signals()  # what follows is short, and half of it would be told wrongly
    return folder.publish(staging, request.out, _encodable(known)), reason


def _run_child(
    staging: str,
    place: working_copy.Work,
    request: Request,
    means: Alone,
    log: Log,
    progress: BinaryIO,
) -> Tuple[Child, Dict[str, Any]]:
    """Run the script to its end; return its process, and the facts that need no end of it."""
    started = datetime.datetime.now(datetime.timezone.utc)
    request, left_out = _portable(request, place)
    child, known = None, {}
    class_of_run = numeric_class(request, lambda: _computing_class(progress))
    os.ftruncate(progress.fileno(), 0)
    try:
        forks = means.forks_for(request, place)
        output = os.path.join(staging, contract.OUTPUT)
        how = (forks, means.forking, means.tells_imports)
        child = Child(request, output, place, log, progress, *how)
        known = facts_before(request, started)  # while the child imports its framework
        child.wait()
    except Interrupted as interrupted:
        if child is not None:
            child.stop()
        if child is None or interrupted.number == signal.SIGINT:
            raise
        child.failure = "ended by %s" % signal.Signals(interrupted.number).name
    except BaseException:
        if child is not None:
            child.stop()
        raise
    known = known or facts_before(request, started)  # a signal came before
    if means.forking:
        known["forked"] = True
    known["numeric_class"] = class_of_run
    if request.conditions.portable:
        known["portable_settings"] = {
            name: value for setting in request.portable for name, value in setting.variables.items()
        }
        known["portable_left_out"] = left_out
    return child, known


def _problem_of_samples(path: str, summaries: Dict[str, Any]) -> Optional[str]:
    """Return in a few words why ``path`` has not just the samples of these arrays, or None."""
    if not summaries:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # the recorder wrote none
        return None
    index = {}
    for name, facts_of in summaries.items():
        count = min(contract.count_of(facts_of["shape"]), contract.SAMPLE)
        index[name] = {"dtype": facts_of["dtype"], "shape": [count]}
    return verify.problem(path, index)


def _portable(request: Request, place: working_copy.Work) -> Tuple[Request, Dict[str, str]]:
    """Return the request with the portable settings that work here, and why others do not."""
    if not request.portable:
        return request, {}
    conditions = request.conditions

    def problem(settings: Sequence[portable.Setting]) -> Optional[str]:
        variables = portable.environment(os.environ, conditions.environment, settings)
        own = (conditions.seed, conditions.threads, variables, conditions.hash_seed)
        variables.update(seeding.environment(*own), HOME=place.home)
        return portable.problem(request.keras_backend, variables, becoming(request.run_as))

    kept, left_out = portable.choose(request.portable, problem)
    return request._replace(portable=kept), left_out


def _computing_class(progress: BinaryIO) -> None:
    """Say that the numeric class is being computed: to the harness, and to a person."""
    os.pwrite(progress.fileno(), contract.COMPUTING_CLASS.encode(), 0)
    if sys.stderr.isatty():
        tell("computing the numeric class, once for this environment and processor")


def watch_signals() -> None:
    """Raise Interrupted from now on where a signal asks this process to end."""
    for number in SIGNALS:
        signal.signal(number, _raise_interrupted)


def _raise_interrupted(number: int, _frame: Any) -> None:
    _ignore_signals()  # once is enough: the script is being ended
    raise Interrupted(number)


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _encodable(value: Any) -> Any:
    """Return a document with every character in it that UTF-8 has none for escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(name): _encodable(part) for name, part in value.items()}
    return [_encodable(part) for part in value] if isinstance(value, list) else value


def tell(text: str) -> None:
    """Say something to a person, in one line whatever a script has put into it."""
    line = " ".join(text.split())[:LONGEST_LINE]
    print("keras-repro: " + line, file=sys.stderr, flush=True)
