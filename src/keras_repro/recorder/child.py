"""The child process: its environment, its log and what it says, and its end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, BinaryIO, Dict, Optional, Union

from keras_repro.recorder import limits, messages, working_copy
from keras_repro.recorder.become import becoming
from keras_repro.recorder.beginning import begin, task_of
from keras_repro.recorder.forks import Forked, Forks
from keras_repro.recorder.log import Log
from keras_repro.recorder.request import Request

TERMINATE_SECONDS = 2.0
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
# Kills every process of the user that runs it, also those that hid in a session of their own.
KILL_ALL = "import os; os.kill(-1, 9)"
BLOCK = 1 << 16
TAIL = 4096  # bytes of output kept for the reason of a failure
MOST_ROUNDS, MOST_SPARING = 500, 50  # of killing what starts anew; the latter, all but one

Process = Union["subprocess.Popen[bytes]", Forked]


class Child:
    """The process that runs the script, its log pipe and its control pipe.

    ``forks`` is left alone; with ``forking`` it forks this process, which else begins anew.
    ``tells_imports`` as of a Task.
    """

    def __init__(
        self,
        request: Request,
        output: str,
        place: working_copy.Work,
        log: Log,
        progress: BinaryIO,
        forks: Optional[Forks] = None,
        forking: bool = False,
        tells_imports: bool = False,
    ) -> None:
        self.said: Dict[str, Any] = {}
        self.times: Dict[str, float] = {}
        self.failure: Optional[str] = None
        self.log_error: Optional[OSError] = None
        self._log = log
        self._tail = b""
        self._progress = progress
        self._run_as = request.run_as
        self._forks = forks
        self._limits = limits.Limits(request.conditions, None if forks is None else forks.process)
        _adopt()
        control, control_of_child = os.pipe()
        passed = [control_of_child]
        if request.run_as is not None:
            # The child has no way through the folders above; an open folder is one.
            os.chown(output, *request.run_as)
            passed.append(os.open(output, os.O_RDONLY | os.O_DIRECTORY))
        task = task_of(request, output, tells_imports)
        try:
            if forks is not None and forking:
                process: Process = forks.fork(place, passed, task)
            else:
                process = begin(request, place, passed, task)
        except BaseException:
            os.close(control)
            raise
        finally:
            for descriptor in passed:
                os.close(descriptor)
        self.process = process
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
        spared = [] if self._forks is None else [self._forks.process]
        # In a container nobody else is this user.
        is_alone = self._run_as is not None and os.environ.get("KERAS_REPRO_ENGINE") == "docker"
        if is_alone and not spared:
            self._kill_user()
        for number in range(MOST_ROUNDS):
            left = [one for one in limits.descendants(os.getpid()) if one.number not in spared]
            if not left:
                break
            if is_alone and number == MOST_SPARING:  # it starts anew faster than it is found
                spared = []
                self._kill_user()
            for process in left:
                with contextlib.suppress(OSError):
                    os.kill(process.number, signal.SIGKILL)
            # Those that were adopted are ours to wait for.
            with contextlib.suppress(OSError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            time.sleep(0.01)

    def _kill_user(self) -> None:
        subprocess.run(
            [sys.executable, "-S", "-c", KILL_ALL],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # there may be nobody left
            check=False,
            preexec_fn=becoming(self._run_as),
        )

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


def _adopt() -> None:
    """Become the parent of those whose parent ends, so that none is out of sight (prctl(2))."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):  # Linux
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
