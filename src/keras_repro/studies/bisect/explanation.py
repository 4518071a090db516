"""Tell a package from those that moved together with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from keras_repro.backends import Backend
from keras_repro.packages import pins, resolve
from keras_repro.packages.resolve import Move

MOST_ALONE = 12  # that are tried each by itself

Differs = Callable[[str, Callable[[], Backend | None]], bool | None]
"""Whether an environment gives other numbers than the good one: its label, and what makes it.

None where there is no such environment, or it tells nothing.
"""
Holding = Callable[[dict[str, str], Backend], Backend]
"""Makes an environment with some packages at just these versions, the rest as in another one."""


class Blame(StrEnum):
    """What a second pass says of a change."""

    SUSPECT = "the package itself"
    COMPANION = "what moved with it"
    EITHER = "each of them alone"
    TOGETHER = "only both together"
    UNKNOWN = "they cannot be told apart"


@dataclass(frozen=True)
class Moved:
    """A package that moved, with those that cannot move without it: its release pins them."""

    move: Move
    pinned: tuple[Move, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """All of them."""
        return (self.move, *self.pinned)

    @property
    def with_its(self) -> str:
        """Return " with its jaxlib", or nothing where nothing is pinned."""
        if not self.pinned:
            return ""
        *others, last = [move.package for move in self.pinned]
        return f" with its {', '.join(others)} and {last}" if others else f" with its {last}"

    def __str__(self) -> str:
        """Return it as in "jax 0.6.0 -> 0.6.1 with its jaxlib"."""
        return f"{self.move}{self.with_its}"


@dataclass(frozen=True)
class Explanation:
    """Which of the packages that moved is the reason of a change.

    ``suspect`` is the package whose releases are searched, None where days are, and ``companions``
    all that moved besides. What is known of the suspect alone and of all companions alone is None
    where it cannot be had; ``alone`` has the companions that were tried each by itself. ``guilty``
    are those companions that change the numbers, where they were told from one another.
    """

    suspect: Moved | None
    companions: tuple[Moved, ...]
    blame: Blame
    suspect_alone: bool | None = None
    companions_alone: bool | None = None
    alone: dict[str, bool | None] = field(default_factory=dict)
    guilty: tuple[Moved, ...] = ()


def explain(
    package: str | None, good: Backend, bad: Backend, holding: Holding, differs: Differs
) -> Explanation:
    """Return which of the packages that moved between two environments changed the numbers.

    Of the package that is suspected, the release is tried alone, and then all companions alone;
    where they are the reason, and there are several, each of them alone. Where no package is
    suspected, each is tried alone. What is the only one that moved needs no trial.

    Raises:
        UnavailableError: this machine is the reason that a trial tells nothing.
    """
    moves = resolve.moves(good, bad)
    moved = together(moves, pins.pins(bad, moves), package)
    # All that was there stays where it was, also what nothing needs any more. A package that is
    # only there now belongs to whatever needs it.
    before = {move.package: move.before for move in moves if move.before is not None}

    def alone(label: str, parts: list[Moved]) -> bool | None:
        versions = {m.package: m.after for one in parts for m in one.moves if m.after is not None}
        if not versions:
            return None
        old = {name: version for name, version in versions.items() if name in before}

        def environment() -> Backend | None:
            found = holding(before | (old or versions), good)
            there = {move.package: move.after for move in resolve.moves(good, found)}
            # None where one draws another along.
            return found if {name: there[name] for name in before if name in there} == old else None

        return differs(label, environment)

    suspect = next((one for one in moved if one.move.package == package), None)
    companions = [one for one in moved if one is not suspect]
    if suspect is None:
        return _without_suspect(companions, alone)
    return _with_suspect(suspect, companions, alone)


def together(
    moves: list[Move], pinned: dict[str, list[str]], package: str | None = None
) -> list[Moved]:
    """Return the packages that moved, those together of which one pins the other.

    What pins comes first, or the package that is named.
    """
    groups = {move.package: {move.package} for move in moves}
    for head, names in pinned.items():
        for name in names:
            one = groups[head] | groups[name]
            groups |= dict.fromkeys(one, one)
    by_name = {move.package: move for move in moves}
    held = {name for names in pinned.values() for name in names}
    found = []
    for group in {id(group): group for group in groups.values()}.values():
        head, *rest = sorted(group, key=lambda name: (name != package, name in held, name))
        found.append(Moved(by_name[head], tuple(by_name[name] for name in rest)))
    return found


Alone = Callable[[str, list[Moved]], bool | None]


def _with_suspect(suspect: Moved, companions: list[Moved], alone: Alone) -> Explanation:
    if not companions:
        return Explanation(suspect, (), Blame.SUSPECT)
    own = alone(str(suspect), [suspect])
    others = alone(", ".join(map(str, companions)), companions)
    each: dict[str, bool | None] = {}
    if others and sum(one.move.after is not None for one in companions) > 1:
        for one in companions:
            if one.move.after is not None and one.move.before is not None:
                each[str(one)] = alone(str(one), [one])
    guilty = [one for one in companions if each.get(str(one))]
    if others and len(companions) == 1:
        guilty = companions
    blame = _blame(own, others)
    return Explanation(suspect, tuple(companions), blame, own, others, each, tuple(guilty))


def _without_suspect(moved: list[Moved], alone: Alone) -> Explanation:
    if len(moved) == 1:
        return Explanation(None, tuple(moved), Blame.COMPANION, guilty=tuple(moved))
    each = {str(one): alone(str(one), [one]) for one in moved[:MOST_ALONE]}
    guilty = tuple(one for one in moved if each.get(str(one)))
    unknown = None in each.values() or len(moved) > MOST_ALONE
    blame = Blame.COMPANION if guilty else Blame.UNKNOWN if unknown else Blame.TOGETHER
    return Explanation(None, tuple(moved), blame, alone=each, guilty=guilty)


def _blame(suspect: bool | None, companions: bool | None) -> Blame:
    match suspect, companions:
        case True, True:
            return Blame.EITHER
        case False, False:
            return Blame.TOGETHER
        case None, None:
            return Blame.UNKNOWN
        # Where one of them cannot be had alone, the other one alone tells.
        case (True, _) | (_, False):
            return Blame.SUSPECT
        case _:
            return Blame.COMPANION
