"""What to train, how far it is, and how it ended."""

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import ExitCode
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.recorder.contract import Conditions
from keras_repro.runs.regular_file import open_regular
from keras_repro.runs.run import Run, run_folder
from keras_repro.studies.first_link.found import Traced
from keras_repro.studies.train.nondeterminism import Suspect

POLL_SECONDS = 0.2
MOST_DIGITS = 20
RUNS_ENDING = ".runs"  # of the folder of a backend's runs under other conditions


@dataclass(frozen=True)
class Plan:
    """What to train, on which backends, and where to keep it.

    ``repeat`` is how often: each run of the same seed is compared with the first. ``below`` is a
    folder between the workload's and the backends'; ``parity`` what an engine's Job has. ``kept``
    is the name of a run that is kept beside the last one: it lies in ``<backend>.runs``.
    ``takes_diverged``: with ``if_needed`` a run whose costs are not finite is good enough.
    """

    workload: Workload
    backends: list[Backend]
    artifacts: Path
    if_needed: bool = False
    repeat: int = 1
    below: str = ""
    parity: str | Path | None = None
    kept: str = ""
    takes_diverged: bool = False

    def folder(self, backend: Backend) -> str:
        """Return the name of a backend's run folder, below the workload's."""
        if self.kept:
            return f"{backend.name}{RUNS_ENDING}/{self.kept}"
        return f"{self.below}/{backend.name}" if self.below else backend.name

    def out(self, backend: Backend) -> Path:
        """Return the run folder of a backend."""
        return run_folder(self.artifacts, self.workload.name, self.folder(backend))


def kept_as(conditions: Conditions) -> str:
    """Return the name of a run under these conditions that is kept beside the last one."""
    return hashlib.sha256(conditions.key().encode()).hexdigest()[:16]


@dataclass
class Progress:
    """How far one backend's training is; read while it runs.

    ``part`` says of which part of a whole it is: how many seeds are done, say.
    """

    label: str
    backend: Backend
    phase: str = "waiting"
    steps: int = 0
    expected_steps: int | None = None
    done: bool = False
    out: Path = field(default_factory=Path)
    part: str = ""


@dataclass(frozen=True)
class Trained:
    """How one backend's training ended.

    ``repeat`` compares with the run that stood there before, where that one was made from the
    same script, seed and environment on the same processor: there every bit must be the same.
    Where runs were repeated on purpose, it compares the first that parts, or the last, with the
    first; ``runs`` is how many were made, ``suspects`` what in the script's text may be why they
    part, and ``trace`` what their trails tell, None where one of them has none. ``left`` is where
    what runs replaced lies until the next run, where it could not be removed.
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
    trace: Traced | None = None
    left: list[Path] = field(default_factory=list)

    @property
    def repeats(self) -> bool | None:
        """Whether every bit came out the same again; None where there is nothing to say."""
        if self.repeat is None:
            return None
        return all(array.verdict is Verdict.IDENTICAL for array in self.repeat)


class Watching:
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
        path = Path(contract.staging_folder(str(self.out)), contract.PROGRESS)
        while not self.stop.wait(POLL_SECONDS):
            with suppress(OSError, ValueError):
                # A stranger may have put a pipe, or a link, in its place.
                with open(open_regular(path, os.O_NOFOLLOW), encoding="ascii") as file:
                    text = file.read(MOST_DIGITS)
                if text == contract.COMPUTING_CLASS:
                    self.progress.phase = "computing the numeric class, once"
                elif not text:
                    self.progress.phase = "importing and compiling"
                else:
                    self.progress.phase, self.progress.steps = "training", int(text)
