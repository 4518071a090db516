"""The child process: its environment, its log and what it says, and its end."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, BinaryIO, Dict, List, Optional

from keras_repro.recorder import contract, limits, messages, portable, seeding, working_copy
from keras_repro.recorder.become import becoming
from keras_repro.recorder.hermetic.environment import environment as surrounding
from keras_repro.recorder.log import Log
from keras_repro.recorder.request import Request
from keras_repro.recorder.surroundings import FIGURES_VARIABLE

TERMINATE_SECONDS = 2.0
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
# Kills every process of the user that runs it, also those that hid in a session of their own.
KILL_ALL = "import os; os.kill(-1, 9)"
# As -m, but without the present folder on sys.path, where anything may shadow a module.
LAUNCH = (
    "import sys; del sys.path[0]; from keras_repro.recorder.execute import main; "
    "sys.exit(main(sys.argv[1:]))"
)
BLOCK = 1 << 16
TAIL = 4096  # bytes of output kept for the reason of a failure
MOST_ROUNDS = 500  # of killing what starts anew


class Child:
    """The process that runs the script, its log pipe and its control pipe."""

    def __init__(
        self,
        request: Request,
        output: str,
        place: working_copy.Work,
        log: Log,
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
        self._run_as = request.run_as
        if request.run_as is not None:
            # The child has no way through the folders above; an open folder is one.
            os.chown(output, *request.run_as)
            passed.append(os.open(output, os.O_RDONLY | os.O_DIRECTORY))
            output = "/proc/self/fd/%d" % passed[-1]
        conditions = request.conditions
        environment = portable.environment(os.environ, conditions.environment, request.portable)
        own = (conditions.seed, conditions.threads, environment, conditions.hash_seed)
        environment.update(seeding.environment(*own))
        environment.update(HOME=place.home, KERAS_HOME=os.path.join(place.home, ".keras"))
        environment.update(surrounding(conditions.hermetic, conditions.surroundings, environment))
        environment["MPLBACKEND"] = "module://keras_repro.recorder.figures"
        environment[FIGURES_VARIABLE] = os.path.join(output, contract.FIGURES)
        task = {
            "control": control_of_child,
            "staging": output,
            "seed": conditions.seed,
            "threads": conditions.threads,
            "ulps": conditions.ulps,
            "planted": conditions.planted,
            "vary_own_seeds": conditions.vary_own_seeds,
            "script": request.script,
            "module": request.module,
            "args": request.args,
            "parity": request.parity,
            "data_statistics": not conditions.no_data_statistics,
            "array_limit": conditions.array_limit,
            "arrays_limit": conditions.arrays_limit,
            "protected": _protected(request),
            "hermetic": conditions.hermetic,
            "surroundings": conditions.surroundings,
            "emulated": request.processor is not None,
        }
        self._limits = limits.Limits(conditions)
        _adopt()
        emulator = [] if request.processor is None else request.processor.command
        self.process = subprocess.Popen(
            [*emulator, sys.executable, "-c", LAUNCH, json.dumps(task)],
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=passed,
            start_new_session=True,
            preexec_fn=becoming(request.run_as, bool(emulator)),  # noqa: PLW1509 - no thread yet
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
            self.failure = self.failure or self._limits.exceeded()
        if self.failure is not None and self.process.poll() is None:
            self._end()
        self.process.wait()
        self.kill_all()
        self.times["ended"] = time.monotonic()
        for reader in self._readers:
            reader.join(TERMINATE_SECONDS)

    @property
    def script_seconds(self) -> float:
        """For how long the script ran, also where it was ended from outside; 0 if it never did."""
        ended = self.times.get("script_ended", self.times["ended"])
        return ended - self.times.get("started", ended)

    def stop(self) -> None:
        """End the script and whatever it started: politely, then for certain."""
        self._end()
        self.wait()

    def last_line(self) -> str:
        """Return the last line that the script printed: of a traceback, the error."""
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def kill_all(self) -> None:
        """Kill all that the script left running, wherever it hid."""
        self._kill_group(signal.SIGKILL)
        if self._run_as is not None and os.environ.get("KERAS_REPRO_ENGINE") == "docker":
            # In a container nobody else is this user.
            subprocess.run(
                [sys.executable, "-S", "-c", KILL_ALL],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # there may be nobody left
                check=False,
                preexec_fn=becoming(self._run_as),
            )
        for _ in range(MOST_ROUNDS):
            left = limits.descendants(os.getpid())
            if not left:
                break
            for process in left:
                with contextlib.suppress(OSError):
                    os.kill(process.number, signal.SIGKILL)
            # Those that were adopted are ours to wait for.
            with contextlib.suppress(OSError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            time.sleep(0.01)

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
            for message in messages.read(control):
                if message is None:
                    self.failure = "it wrote to the pipe through which its numbers are told"
                    self._kill_group(signal.SIGKILL)
                    return
                self.said.update(message)
                self.times.update({name: time.monotonic() for name in message})
                if list(message) == ["steps"]:
                    with contextlib.suppress(OSError):
                        os.pwrite(self._progress.fileno(), b"%d" % message["steps"], 0)


def _protected(request: Request) -> List[str]:
    """Return the folders, the user's and ours, that the script could write; none in a container."""
    if os.environ.get("KERAS_REPRO_ENGINE") == "docker":
        return []
    conditions = request.conditions
    folders = [os.getcwd()] + [os.path.abspath(folder) for _, folder in conditions.data]
    own = (conditions.datasets, os.environ.get("KERAS_REPRO_CLASS_CACHE"))
    return folders + [os.path.abspath(folder) for folder in own if folder]


def _adopt() -> None:
    """Become the parent of those whose parent ends, so that none is out of sight (prctl(2))."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):  # Linux
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
