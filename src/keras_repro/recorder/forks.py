"""The supervisor's end of the process that has imported what a script imports: see forking.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import IO, Any, Dict, List, NamedTuple, Optional

from keras_repro.recorder import channel, working_copy
from keras_repro.recorder.become import becoming
from keras_repro.recorder.beginning import environment_of, task_of
from keras_repro.recorder.contract import launch
from keras_repro.recorder.request import Request
from keras_repro.recorder.surroundings import FIGURES_VARIABLE

LAUNCH = launch("forking")
PREPARE_SECONDS = 600.0  # in which to import what a script imports
ANSWER_SECONDS = 60.0  # in which to fork
POLL_SECONDS = 0.02


class NotForkedError(Exception):
    """No process is forked for this script; the message says why."""


class Known(NamedTuple):
    """What a run of the script told of its imports: see imported.py."""

    imports: List[str]
    variables: Dict[str, Optional[str]]


class Forked:
    """A process that was forked, now this one's child: what is used of ``subprocess.Popen``."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: Optional[int] = None

    def poll(self) -> Optional[int]:
        """Return how it ended; None where it runs."""
        if self.returncode is None:
            self._look(os.WNOHANG)
        return self.returncode

    def wait(self, timeout: Optional[float] = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired([], timeout or 0.0)
            time.sleep(POLL_SECONDS)
        assert self.returncode is not None
        return self.returncode

    def _look(self, flags: int) -> None:
        try:
            number, status = os.waitpid(self.pid, flags)
        except ChildProcessError:  # somebody else waited for it
            self.returncode = -signal.SIGKILL
            return
        if number:
            ended = os.WIFSIGNALED(status)
            self.returncode = -os.WTERMSIG(status) if ended else os.WEXITSTATUS(status)


class Forks:
    """A process that imports what a script imports, and forks one for each of its runs."""

    def __init__(
        self, request: Request, place: working_copy.Work, known: Known, compiled: str
    ) -> None:
        """Begin it; in the folder ``compiled`` its forks find what others of them compiled.

        Raises:
            NotForkedError: it cannot fork as a new process would begin.
        """
        self._request = request
        self._channel, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, str(other.fileno())],
                cwd=place.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(environment_of(request, place), **_of_compiling(compiled)),
                pass_fds=[other.fileno()],
                start_new_session=True,
                preexec_fn=becoming(request.run_as),  # noqa: PLW1509 - no thread yet
            )
        try:
            asked = {"task": task_of(request, ""), **known._asdict()}
            answer = self._ask(asked, [], PREPARE_SECONDS)
            if "ready" not in answer:
                raise NotForkedError(str(answer.get("problem", "it says nothing")))
        except BaseException:
            self.end()
            raise

    @property
    def process(self) -> int:
        """Its number."""
        return self._process.pid

    def fork(self, place: working_copy.Work, passed: List[int], task: Dict[str, Any]) -> Forked:
        """Fork a process with a task; ``passed`` as of ``begin``. Raises NotForkedError."""
        asked = {
            "task": task,
            "environment": environment_of(self._request, place),
            "folder": place.folder,
            "parent": os.getpid(),
        }
        output, log = os.pipe()
        stdout = os.fdopen(output, "rb")
        try:
            answer = self._ask(asked, [log, *passed], ANSWER_SECONDS)
        except BaseException:
            stdout.close()
            raise
        finally:
            os.close(log)
        number = answer.get("process")
        if type(number) is not int or number < 2:
            stdout.close()
            raise NotForkedError("the process that forks answers nothing of use")
        return Forked(number, stdout)

    def end(self) -> None:
        """End it, at once."""
        self._channel.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _ask(self, document: Dict[str, Any], files: List[int], patience: float) -> Dict[str, Any]:
        try:
            self._channel.settimeout(patience)
            channel.send(self._channel, document, files)
            answer = channel.receive(self._channel)
        except BaseException as error:
            self.end()  # what it still answers is no answer to the next
            if not isinstance(error, (OSError, ValueError)):
                raise
            why = "does not answer" if isinstance(error, socket.timeout) else "has ended"
            raise NotForkedError("the process that forks %s" % why) from None
        if answer is None:
            raise NotForkedError("the process that forks has ended")
        for descriptor in answer[1]:  # none is expected
            os.close(descriptor)
        return answer[0]


def _of_compiling(folder: str) -> Dict[str, str]:
    """Return the variables by which JAX keeps what it compiles; Theano does so anyway.

    Read while it is imported: no fork has them. See
    https://docs.jax.dev/en/latest/persistent_compilation_cache.html.
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        FIGURES_VARIABLE: folder,  # of each run its own
    }
