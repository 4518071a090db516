"""Ways to execute a run: each engine is a file with one class, and has a line in kinds.py."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError
from keras_repro.project.workload import Workload

Say = Callable[[str], None]
"""Tells what an engine is doing now, in a few words."""


@dataclass(frozen=True)
class Job:
    """One run to make.

    ``folder`` is the run folder's name below ``artifacts`` (absolute) and the workload's name.
    ``parity`` is None, "reference", or the file of the reference whose weights and inputs the
    layers are to be computed from.
    """

    backend: Backend
    workload: Workload
    artifacts: Path
    folder: str
    parity: str | Path | None = None

    @property
    def out(self) -> Path:
        """The run folder."""
        return self.artifacts / self.workload.name / self.folder


@dataclass(frozen=True)
class Ended:
    """How a recorder ended: its exit code, and its line about an error, if it said one."""

    status: int
    complaint: str


@dataclass(frozen=True)
class Availability:
    """Whether a backend can run here: how it stands, and the remedy where it cannot."""

    ready: bool
    state: str
    remedy: str = ""


class EngineUnavailableError(UnavailableError):
    """An engine cannot be used on this machine; ``reason`` says why in a few words."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason


class Engine(Protocol):
    """A way to execute. Leaving it as a context manager ends all that it runs, and lets go of it.

    ``name`` is what it is chosen by, and what runs record; ``title`` what a person reads.
    """

    name: str
    title: str

    @property
    def slots(self) -> int:
        """How many runs of one thread it can make at the same time."""

    def __enter__(self) -> Self:
        """Return the engine."""

    def __exit__(self, *exception: object) -> None:
        """Stop, and close what is open."""

    def problem(self) -> EngineUnavailableError | None:
        """Return why this engine cannot be used on this machine, or None."""

    def availability(self, backend: Backend) -> Availability:
        """Return whether this machine can run the backend, without installing anything."""

    def environment_id(self, backend: Backend) -> str | None:
        """Return what identifies the built environment, or None where it is not built."""

    def changed_since(self, backend: Backend, image: str | None) -> str | None:
        """Return what of the environment is another than that of a run, in a word; None if nothing.

        ``image`` is what the run recorded. Where the lock tells all, there is nothing to say here.
        """

    def prepare(self, backend: Backend, say: Say) -> None:
        """Build the environment where it is not built or is out of date.

        Raises:
            UnavailableError: it cannot be built; the message says why and what to do.
        """

    def run(self, job: Job, say: Say) -> Ended:
        """Execute one run and return how its recorder ended.

        Raises:
            UnavailableError: the engine did not get the recorder to run.
        """

    def abandon(self, job: Job, reason: str) -> Path | None:
        """Have the recorder publish as failed what a killed one left of a job.

        Returns:
            The folder of the failed run; None where nothing was left, or where it cannot be had.
        """

    def kept(self) -> tuple[int, int]:
        """Return how many environments with other locks are kept, and how many bytes they take.

        What they share with others is not counted.
        """

    def prune(self) -> None:
        """Remove them. Nothing that is a backend's own goes."""

    def stop(self) -> None:
        """End every run under way, at once; called when the user interrupts."""


@runtime_checkable
class Serving(Protocol):
    """An engine whose recorders make several runs of a job that differ in the seed alone."""

    def serve(self, job: Job, alone: bool, say: Say) -> Ended:
        """Execute one run by a recorder that is there, or by a new one, which stays for more.

        In a process of its own where it is to be ``alone``, and else in one that is forked from a
        process which has imported what the script imports. The first run of a recorder is alone
        always. The status is EXIT_NOT_FORKED where such runs have to be made alone.

        Raises:
            UnavailableError: the engine did not get the recorder to run.
        """

    def let_go(self) -> None:
        """End the recorders that stay for more."""
