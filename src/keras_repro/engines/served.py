"""Recorders that make one run after another of a script, each from another seed."""

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from keras_repro.engines import Ended, Job
from keras_repro.engines.output import LONGEST_LINE, MARK, TAIL, complaint
from keras_repro.recorder.contract import ENDED, EXIT_INTERRUPTED

SERVE = "--serve"
END_SECONDS = 10


class Served:
    """A recorder that is told of each run, and has its output read; ``on_end`` is called after."""

    def __init__(self, process: "subprocess.Popen[bytes]", on_end: Callable[[], None]) -> None:
        self._process = process
        self._on_end = on_end
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    @property
    def is_there(self) -> bool:
        """Whether it can be told of another run."""
        return self._process.poll() is None

    def make(self, out: str, seed: int, alone: bool) -> tuple[Ended, str | None]:
        """Have a run made in ``out``, as the recorder finds it.

        Returns:
            How it ended; and where the recorder itself ended with it, the last that it said.
        """
        process, tail = self._process, ""
        assert process.stdin is not None
        assert process.stderr is not None
        asked = {"seed": seed, "out": out, "alone": alone}
        with suppress(OSError):  # it has ended, and what it said tells why
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        for line in iter(lambda: process.stderr.readline(LONGEST_LINE), b""):  # type: ignore[union-attr]
            text = line.decode("utf-8", "replace")
            if (status := _status(text, out)) is not None:
                return Ended(status, complaint(tail)), None
            tail = (tail + text)[-TAIL:]
        return Ended(process.wait(), complaint(tail)), tail

    def end(self) -> None:
        """Have it end once it is idle, and wait for that; after a while it is killed."""
        process = self._process
        assert process.stdin is not None
        assert process.stderr is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        self._reader.join(END_SECONDS)
        process.stderr.close()

    def _read_output(self) -> None:
        """Read what the script prints, which is in its log, until the recorder ends."""
        process = self._process
        assert process.stdout is not None
        with process.stdout:
            while process.stdout.read(LONGEST_LINE):
                pass
        process.wait()
        self._on_end()


def _status(line: str, out: str) -> int | None:
    """Return the exit code in the line by which a recorder says how a run ended; None elsewhere."""
    if line.startswith(MARK) or ENDED not in line:
        return None
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(line)
        return told[ENDED] if told["out"] == out and type(told[ENDED]) is int else None
    return None


class Pool:
    """The recorders of an engine that are there for more runs, each of one job but for its seed."""

    def __init__(self, start: Callable[[Job], Served]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._idle: list[tuple[Job, Served]] = []

    def make(self, job: Job, out: str, alone: bool) -> tuple[Ended, str | None]:
        """Make a run as ``Served.make`` does, by a recorder that is idle or a new one."""
        of = _but_for_seed(job)
        served = self._take(of) or self._start(job)
        ended = served.make(out, job.workload.conditions.seed, alone)
        if served.is_there and ended[0].status != EXIT_INTERRUPTED:
            with self._lock:
                self._idle.append((of, served))
        else:
            served.end()
        return ended

    def end(self) -> None:
        """End those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, served in idle:
            served.end()

    def _take(self, of: Job) -> Served | None:
        with self._lock:
            gone = [served for _, served in self._idle if not served.is_there]
            self._idle = [(known, served) for known, served in self._idle if served.is_there]
            found = next((one for one in self._idle if one[0] == of), None)
            if found is not None:
                self._idle.remove(found)
        for served in gone:
            served.end()
        return None if found is None else found[1]


def _but_for_seed(job: Job) -> Job:
    conditions = job.workload.conditions.having(seed=0)
    return replace(job, folder="", workload=replace(job.workload, conditions=conditions))
