"""The parent process: runs the script in a child, keeps its log, and writes the run folder.

It outlives the child, so that a script that is killed still leaves a run that says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, BinaryIO, Callable, Dict, List, NamedTuple, Optional, Tuple

from keras_repro.recorder import advice, contract, facts, folder, limits, seeding, working_copy

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TERMINATE_SECONDS = 2.0
PR_SET_PDEATHSIG = 1
# As -m, but without the present folder on sys.path, where anything may shadow a module.
LAUNCH = (
    "import sys; del sys.path[0]; from keras_repro.recorder.execute import main; "
    "sys.exit(main(sys.argv[1:]))"
)
BLOCK = 1 << 16
TAIL = 4096  # bytes of output kept for the reason of a failure


class Request(NamedTuple):
    """What to run, and what is asked of it.

    ``script`` is relative to the present folder, or absolute; ``module`` is its name where it is
    to be run as ``python -m`` does. Limits are in seconds and bytes.
    """

    script: str
    module: Optional[str]
    args: List[str]
    out: str
    seed: int
    threads: int
    backend: Optional[str]
    keras_backend: Optional[str]
    data: List[Tuple[str, str]]
    datasets: Optional[str]
    variables: Dict[str, str]
    time_limit: Optional[float]
    memory_limit: Optional[int]
    files_limit: int
    parity: Optional[str]
    run_as: Optional[Tuple[int, int]]


class Interrupted(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(request: Request) -> int:
    """Run the script and leave a run folder at ``request.out``; return the exit code."""

    def on_wait() -> None:
        _tell("another training writes %s; waiting for it to end" % request.out)

    for number in SIGNALS:
        signal.signal(number, _raise_interrupted)
    try:
        with folder.locked(request.out, on_wait):
            staging = folder.prepare(request.out)
            scratch = tempfile.mkdtemp(prefix="keras-repro-")
            try:
                return _run_in(staging, scratch, request)
            finally:
                working_copy.discard(scratch)
                folder.discard(staging)
    except working_copy.TooLargeError as error:
        _tell("only root can read %s, and it is large; chmod o+rX it" % error)
        return contract.EXIT_USAGE
    except folder.NotARunFolderError as error:
        _tell("%s; nothing was run. Name another folder, or empty that one" % error)
        return contract.EXIT_USAGE
    except OSError as error:
        _tell(
            "cannot write the run to %s: %s; free some space or mend the permissions, "
            "then run it again. The last good run is untouched"
            % (request.out, error.strerror or error)
        )
        return contract.EXIT_CANNOT_WRITE
    except Interrupted:
        _tell("interrupted; no run was kept of %s" % request.script)
        return contract.EXIT_INTERRUPTED


def _run_in(staging: str, scratch: str, request: Request) -> int:
    started = datetime.datetime.now(datetime.timezone.utc)
    clock = time.monotonic()
    place = working_copy.make(
        os.getcwd(),
        scratch,
        request.data,
        request.datasets,
        os.environ.get("KERAS_HOME"),
        request.run_as,
    )
    with contextlib.ExitStack() as files:
        log, progress = (
            files.enter_context(open(os.path.join(staging, name), "wb", buffering=0))
            for name in (contract.LOG, contract.PROGRESS)
        )
        child = None
        try:
            child = _Child(request, staging, place, log, progress)
            known = _facts_before(request, started)  # while the child imports its framework
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
        if child.log_error is not None:
            raise child.log_error
        if "cannot_write" in child.said:
            raise OSError(0, child.said["cannot_write"])
        reason = child.failure or _why_failed(child, request)
        if request.run_as is not None:
            folder.take_back(staging)
            folder.take_back(scratch)
        kept = working_copy.keep(place, os.path.join(staging, contract.FILES), request.files_limit)
        network = child.said.get("network", [])
        hint = advice.hint(reason, network) if reason else advice.about_network(network)
        for line in (
            "the run failed: %s" % reason if reason else None,
            advice.about_files(kept.left_out, request.files_limit),
            hint,
        ):
            if line:
                text = "keras-repro: %s\n" % advice.visible(line)
                log.write(text.encode("utf-8", "backslashreplace"))
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
        not_recorded=child.said.get("not_recorded", {}),
        arrays_sha256=None if reason else facts.file_sha256(os.path.join(staging, contract.ARRAYS)),
    )
    known["durations"] = {
        "script": round(child.times.get("script_ended", 0) - child.times.get("started", 0), 3),
        "total": round(time.monotonic() - clock, 3),
    }
    published = folder.publish(staging, request.out, _encodable(known))
    if reason:
        log_file = os.path.join(published, contract.LOG)
        _tell("%s failed: %s (log: %s)" % (request.script, reason, log_file))
        return contract.EXIT_FAILED
    return 0


def _why_failed(child: _Child, request: Request) -> Optional[str]:
    """Return in one line why the run is not a good one, or None."""
    status = child.process.returncode
    if status < 0:
        out_of_memory = " (out of memory?)" if -status == signal.SIGKILL else ""
        return "killed by %s%s" % (_signal_name(-status), out_of_memory)
    if status:
        error = child.said.get("error") or child.last_line() or "it printed nothing"
        return "exit status %d: %s" % (status, error)
    if not child.said.get("completed"):
        return "it ended the interpreter itself (os._exit), so its numbers could not be kept"
    used = child.said["keras"]["backend"]
    if used is None:
        return "it never imported Keras, so there is nothing to keep"
    if request.keras_backend is not None and used != request.keras_backend:
        return "Keras used the backend %r, and %r was asked for (KERAS_BACKEND=%s)" % (
            used,
            request.keras_backend,
            os.environ.get("KERAS_BACKEND", "is not set"),
        )
    if not child.said["arrays"]:
        return "it trained, tested and predicted with no Keras model, so there is nothing to keep"
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return "signal %d" % number


def _facts_before(request: Request, started: datetime.datetime) -> Dict[str, Any]:
    known: Dict[str, Any] = {
        "schema_version": contract.SCHEMA_VERSION,
        "script": os.path.basename(request.script),
        "module": request.module,
        "script_args": request.args,
        "data": sorted(place for place, _ in request.data),
        "datasets": request.datasets is not None,
        "script_sha256": facts.file_sha256(request.script),
        "recorder_sha256": facts.recorder_sha256(),
        "seed": request.seed,
        "threads": request.threads,
        "backend": request.backend,
        "requirements_sha256": facts.file_sha256(os.environ.get("KERAS_REPRO_REQUIREMENTS", "")),
        "extra_requirements_sha256": facts.file_sha256(
            os.environ.get("KERAS_REPRO_EXTRA_REQUIREMENTS", "")
        ),
        "engine": os.environ.get("KERAS_REPRO_ENGINE"),
        "image": os.environ.get("KERAS_REPRO_IMAGE") or None,
        "started": started.isoformat(timespec="seconds"),
    }
    variables = dict(os.environ, **seeding.environment(request.seed, request.threads))
    known["environment"] = {
        name: variables[name] for name in seeding.RECORDED_VARIABLES if name in variables
    }
    known["environment"].update(seeding.shown(request.variables))
    known.update(facts.environment_facts())
    return known


class _Child:
    """The process that runs the script, its log pipe and its control pipe."""

    def __init__(
        self,
        request: Request,
        staging: str,
        place: working_copy.Work,
        log: BinaryIO,
        progress: BinaryIO,
    ) -> None:
        self.said: Dict[str, Any] = {}
        self.times: Dict[str, float] = {}
        self.failure: Optional[str] = None
        self.log_error: Optional[OSError] = None
        self._log = log
        self._tail = b""
        self._progress = progress
        control, control_of_child = os.pipe()
        passed = [control_of_child]
        if request.run_as is not None:
            # The child may have no way through the folders above; an open folder is one.
            os.chown(staging, *request.run_as)
            passed.append(os.open(staging, os.O_RDONLY | os.O_DIRECTORY))
            staging = "/proc/self/fd/%d" % passed[-1]
        environment = dict(os.environ, **request.variables)
        environment.update(seeding.environment(request.seed, request.threads, environment))
        environment.update(HOME=place.home, KERAS_HOME=os.path.join(place.home, ".keras"))
        environment["MPLBACKEND"] = "module://keras_repro.recorder.figures"
        environment[contract.FIGURES_VARIABLE] = os.path.join(staging, contract.FIGURES)
        task = {
            "control": control_of_child,
            "staging": staging,
            "seed": request.seed,
            "threads": request.threads,
            "script": request.script,
            "module": request.module,
            "args": request.args,
            "parity": request.parity,
            "protected": _protected(request),
        }
        self._limits = limits.Limits(request.time_limit, request.memory_limit)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, json.dumps(task)],
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=passed,
            start_new_session=True,
            preexec_fn=_becoming(request.run_as),  # noqa: PLW1509 - no thread runs yet
        )
        for descriptor in passed:
            os.close(descriptor)
        self._readers = [
            threading.Thread(target=self._copy_output, daemon=True),
            threading.Thread(target=self._hear, args=(os.fdopen(control, "rb"),), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait(self) -> None:
        """Wait until the script has ended, and what it left running too."""
        while self.failure is None and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self._limits.patience())
            self.failure = self._limits.exceeded(self.process.pid)
        if self.failure is not None and self.process.poll() is None:
            self._end()
        self.process.wait()
        self._kill_group(signal.SIGKILL)
        for reader in self._readers:
            reader.join(TERMINATE_SECONDS)

    def stop(self) -> None:
        """End the script and whatever it started: politely, then for certain."""
        self._end()
        self.wait()

    def last_line(self) -> str:
        """Return the last line that the script printed: of a traceback, the error."""
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _end(self) -> None:
        self._kill_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(TERMINATE_SECONDS)
        self._kill_group(signal.SIGKILL)

    def _kill_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _copy_output(self) -> None:
        assert self.process.stdout is not None
        for block in iter(lambda: os.read(self.process.stdout.fileno(), BLOCK), b""):  # type: ignore[union-attr]
            self._tail = (self._tail + block)[-TAIL:]
            with contextlib.suppress(OSError):  # nobody may be reading our own output
                os.write(sys.stdout.fileno(), block)
            if self.log_error is None:
                try:
                    self._log.write(block)
                except OSError as error:
                    self.log_error = error
                    self._kill_group(signal.SIGKILL)

    def _hear(self, control: BinaryIO) -> None:
        with control:
            for line in control:
                message = json.loads(line.decode())
                self.said.update(message)
                self.times.update({name: time.monotonic() for name in message})
                if list(message) == ["steps"]:
                    with contextlib.suppress(OSError):
                        os.pwrite(self._progress.fileno(), b"%d" % message["steps"], 0)


def _protected(request: Request) -> List[str]:
    """Return the user's folders that the script could write; in a container it can none."""
    if os.environ.get("KERAS_REPRO_ENGINE") == "docker":
        return []
    folders = [os.getcwd()] + [os.path.abspath(folder) for _, folder in request.data]
    return folders + ([os.path.abspath(request.datasets)] if request.datasets else [])


def _becoming(run_as: Optional[Tuple[int, int]]) -> Callable[[], None]:
    """Return what the child does first: give up root, and die with this process."""
    libc = ctypes.CDLL(None)

    def become() -> None:
        if run_as is not None:
            os.setgroups([])
            os.setgid(run_as[1])
            os.setuid(run_as[0])
        if hasattr(libc, "prctl"):  # Linux
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return become


def _raise_interrupted(number: int, _frame: Any) -> None:
    for other in SIGNALS:  # once is enough: the script is being ended
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted(number)


def _encodable(value: Any) -> Any:
    """Return a document with every character in it that UTF-8 has none for escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(name): _encodable(part) for name, part in value.items()}
    return [_encodable(part) for part in value] if isinstance(value, list) else value


def _tell(text: str) -> None:
    print("keras-repro: " + text, file=sys.stderr, flush=True)
