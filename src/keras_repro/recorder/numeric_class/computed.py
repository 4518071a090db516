"""Compute the numeric class, in a process of its own, and believe nothing of what that says."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from keras_repro.recorder.become import becoming
from keras_repro.recorder.contract import launch
from keras_repro.recorder.scratch import scratch

# Of the set of kernels: two classes are compared where it is the same.
VERSION = 1
LIMIT_SECONDS = 60.0
LONGEST = 1 << 16  # bytes of all that the process says
MOST_KERNELS = 64
LONGEST_TEXT = 300
NAME, DIGEST = re.compile(r"[a-z0-9_]{1,40}"), re.compile(r"[0-9a-f]{16}")
EMULATED, NATIVE = "emulated", "native"
LAUNCH = launch("numeric_class.process")


class Said:
    """What the process has said until now."""

    def __init__(self) -> None:
        self.doing = "starting"
        self.done = False
        self.kernels: Dict[str, Optional[str]] = {}
        self.problems: Dict[str, str] = {}

    def take(self, line: bytes) -> bool:
        """Take a line; return whether it is one that the process writes."""
        try:
            message = json.loads(line.decode())
        except (ValueError, RecursionError):
            return False
        if not isinstance(message, dict):
            return False
        if set(message) == {"doing"} and isinstance(message["doing"], str):
            self.doing = message["doing"][:LONGEST_TEXT]
            return True
        if message == {"done": True}:
            self.done = True
            return True
        name, digest = message.get("kernel"), message.get("digest")
        problem = message.get("problem")
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in self.kernels:
            return False
        if set(message) == {"kernel", "digest"} and isinstance(digest, str):
            self.kernels[name] = digest
            return bool(DIGEST.fullmatch(digest)) and len(self.kernels) <= MOST_KERNELS
        if set(message) == {"kernel", "problem"} and isinstance(problem, str):
            self.kernels[name], self.problems[name] = None, problem[:LONGEST_TEXT]
            return len(self.kernels) <= MOST_KERNELS
        return False


def compute(
    backend: str,
    threads: int,
    variables: Mapping[str, str],
    run_as: Optional[Tuple[int, int]] = None,
    compiled: Optional[str] = None,
    limit: float = LIMIT_SECONDS,
    emulator: Sequence[str] = (),
) -> Dict[str, Any]:
    """Return the class: ``version``, ``digest``, ``kernels``, ``problems`` and ``problem``.

    ``problem`` is why there is none, and ``digest`` None then; a kernel that failed has the digest
    None and is among ``problems``. ``compiled`` is a folder of what Theano compiled before; the
    process gets a copy. ``emulator`` is what to start Python with where another processor is to
    be emulated. Raises OSError where no process can be started.
    """
    with scratch() as folder:
        home = os.path.join(folder, "home")
        os.mkdir(home)
        for each in (folder, home):  # the other user's, which this one has to enter first
            os.chmod(each, 0o711)  # noqa: S103 - entered, and not read
        given = dict(variables, HOME=home)
        if compiled is not None and os.path.isdir(compiled):
            copy = os.path.join(home, "theano")
            shutil.copytree(compiled, copy)
            flags = [given.get("THEANO_FLAGS", ""), "compiledir=" + copy]  # the last wins
            given["THEANO_FLAGS"] = ",".join(filter(None, flags))
        if run_as is not None:
            for parent, _, files in os.walk(home, topdown=False):  # what is given away is closed
                for name in files:
                    os.lchown(os.path.join(parent, name), *run_as)
                os.lchown(parent, *run_as)
        said, problem = _hear(backend, threads, given, home, run_as, limit, emulator)
    if problem is None and not said.kernels:
        problem = "it computed nothing"
    return {
        "version": VERSION,
        "digest": None if problem else digest_of(said.kernels),
        "kernels": {} if problem else said.kernels,
        "problems": {} if problem else said.problems,
        "problem": problem,
    }


def digest_of(kernels: Mapping[str, Optional[str]]) -> str:
    """Return the digest over all kernels."""
    lines = ["%d\n" % VERSION] + ["%s %s\n" % pair for pair in sorted(kernels.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _hear(
    backend: str,
    threads: int,
    variables: Mapping[str, str],
    home: str,
    run_as: Optional[Tuple[int, int]],
    limit: float,
    emulator: Sequence[str],
) -> Tuple[Said, Optional[str]]:
    """Run the process; return what it said, and why that is no class where it is none."""
    reading, writing = os.pipe()
    said, until = Said(), time.monotonic() + limit
    process = None
    of = EMULATED if emulator else NATIVE
    try:
        process = subprocess.Popen(
            [*emulator, sys.executable, "-c", LAUNCH, backend, str(threads), str(writing), of],
            cwd=home,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            start_new_session=True,
            preexec_fn=becoming(run_as, bool(emulator)),  # noqa: PLW1509 - no thread yet
        )
        os.close(writing)
        writing = -1
        ending = _listen(reading, said, until, limit)
        if ending is None and not said.done:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, min(5.0, until - time.monotonic())))
            ending = _how_ended(process.poll())
    finally:
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    return said, None if ending is None else "%s (%s)" % (ending, said.doing)


def _listen(reading: int, said: Said, until: float, limit: float) -> Optional[str]:
    """Hear the process until it is done or ends; return what is wrong with it, or None."""
    rest, total = b"", 0
    while not said.done:
        left = until - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return "it took longer than %d s" % limit
        block = os.read(reading, LONGEST)
        if not block:
            return "it wrote half a line" if rest else None
        total += len(block)
        lines: List[bytes] = (rest + block).split(b"\n")
        rest = lines.pop()
        if total > LONGEST or not all(map(said.take, lines)):
            return "it wrote what is no result"
    return None


def _how_ended(status: Optional[int]) -> str:
    if status is None:
        return "it closed its pipe"
    if status < 0:
        with contextlib.suppress(ValueError):
            return "killed by %s" % signal.Signals(-status).name
        return "killed by signal %d" % -status
    return "exit status %d" % status
