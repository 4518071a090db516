"""Ways to execute a run. Each engine is a file with the same few functions, in one class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keras_repro.backends import Backend
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


class Engine(Protocol):
    """What train needs of an engine."""

    name: str

    def availability(self, backend: Backend) -> Availability:
        """Return whether this machine can run the backend, without installing anything."""

    def environment_id(self, backend: Backend) -> str | None:
        """Return what identifies the built environment, or None where it is not built."""

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

    def kept(self) -> tuple[int, int]:
        """Return how many environments with other locks are kept, and how many bytes they take.

        What they share with others is not counted.
        """

    def prune(self) -> None:
        """Remove them. Nothing that is a backend's own goes."""

    def stop(self) -> None:
        """End every run under way, at once; called when the user interrupts."""
