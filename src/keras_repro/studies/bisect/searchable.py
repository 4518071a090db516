"""What can be searched: points in order, and what there is at each of them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from keras_repro.backends import Backend
from keras_repro.numbers.comparison import Comparison, Verdict, worst_verdict
from keras_repro.project.workload import Workload
from keras_repro.runs.summaries import Kept
from keras_repro.studies.bisect.explanation import Differs, Explanation
from keras_repro.studies.check import Place
from keras_repro.studies.trial import Trial


class NothingThereError(Exception):
    """There is nothing to run at a point; the message says why."""


class Unit(StrEnum):
    """What a point is."""

    RELEASE = "release"
    DAY = "day"
    COMMIT = "commit"


@dataclass
class Point:
    """A release, a day or a commit.

    ``problem`` says why it tells nothing: known beforehand where there is no ``trial``.
    ``comparisons`` are with the good point, and ``differs`` what they come to for each kind of
    array; None where that is not known. ``left`` is what was left of the range when it had been
    tried: (good, bad, untried between) for each kind's.
    """

    label: str
    detail: str = ""
    problem: str = ""
    trial: Trial | None = None
    comparisons: list[Comparison] | None = None
    differs: dict[str, bool] | None = None
    left: tuple[tuple[int, int, int], ...] = ()

    @property
    def told(self) -> bool:
        """Whether it has numbers."""
        return self.differs is not None

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict of its arrays."""
        return worst_verdict([c.verdict for c in self.comparisons or []])


@dataclass(frozen=True)
class Range:
    """The points of a workload's search on a backend, in order.

    ``name`` says whose points they are: a package's, or days or commits. ``good`` says in words
    what the numbers are compared with: the first point's, or ``expected``, which a baseline holds.
    ``every`` asks for each place where the numbers change, and not for the first alone. ``ends``
    are the options that name the first and the last point.
    """

    place: Place
    backend: Backend
    unit: Unit
    name: str
    good: str
    points: list[Point]
    expected: Mapping[str, Kept] | None = None
    every: bool = False
    ends: tuple[str, str] = ("--good", "--bad")


class Searchable(Protocol):
    """What a search has to know of the releases of a package, of days, or of commits."""

    range: Range

    def at(self, point: Point) -> AbstractContextManager[tuple[Workload, Backend]]:
        """Return the workload and its environment at a point, which are there while entered.

        Raises:
            NothingThereError: the point has none.
            UnavailableError: this machine is the reason that there are none.
        """

    def explain(self, good: Backend, bad: Backend, differs: Differs) -> Explanation | None:
        """Return which of the packages that moved between two environments is the reason.

        None where the point alone is.
        """
