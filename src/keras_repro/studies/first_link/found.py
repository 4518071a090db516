"""What is found of two trails: types, and nothing that decides."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What becomes of a link, or of all of a kind."""

    SAME = "same"
    CLOSE = "close"  # other bits, within rounding
    UNKNOWN = "unknown"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Sides:
    """How the two runs are called, each with its preposition."""

    obtained: str = "in the run"
    expected: str = "in the baseline"


BASELINE = Sides()


@dataclass(frozen=True)
class FirstLink:
    """The first link that differs.

    ``kind`` is a link's, or "results" where the arrays differ alone. ``place`` names it among those
    of its kind. ``step`` counts training steps from 1, as the trail does; where it is known only to
    lie between two, ``last_step`` is the later one. ``text`` says it in words.
    """

    kind: str
    place: str
    text: str
    step: int | None = None
    last_step: int | None = None
    explanations: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return all of it in a sentence."""
        return "; ".join([f"{self.kind}: {self.text}", *self.explanations])


@dataclass(frozen=True)
class Station:
    """One part of the trail, and what became of its links."""

    name: str
    state: State


@dataclass(frozen=True)
class Traced:
    """What two trails tell. ``first`` is None where nothing differs, or not beyond rounding.

    ``problem`` says why a trail could not be read; nothing else is known then.
    """

    first: FirstLink | None = None
    chain: tuple[Station, ...] = ()
    problem: str = ""
