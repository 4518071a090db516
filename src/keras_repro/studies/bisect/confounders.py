"""Tell a package from those that moved together with it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from keras_repro.packages.resolve import Move

Differs = Callable[[str, dict[str, str]], bool | None]
"""Whether the good environment with some packages at other versions gives other numbers.

None where there is no such environment, or it tells nothing.
"""


class Blame(StrEnum):
    """What a second pass says of a change."""

    SUSPECT = "the package itself"
    COMPANION = "what moved with it"
    EITHER = "each of them alone"
    TOGETHER = "only both together"
    UNKNOWN = "they cannot be told apart"


@dataclass(frozen=True)
class Separation:
    """Who changed the numbers.

    ``alone`` is {move: whether it alone changes them}, None where it cannot be had alone.
    ``companions`` are those that do, where they were told from one another.
    """

    blame: Blame
    suspect_alone: bool | None
    companions_alone: bool | None
    alone: dict[str, bool | None]
    companions: tuple[Move, ...] = ()


def separate(suspect: Move, companions: list[Move], differs: Differs) -> Separation:
    """Return who changed the numbers: the suspect alone is tried, then the companions alone.

    Where there are several companions and they are the reason, each is tried alone too.
    """
    versions = {move.package: move.after for move in companions if move.after is not None}
    alone = differs(str(suspect), {suspect.package: suspect.after or ""})
    others = differs(", ".join(map(str, companions)), versions) if versions else None
    blame = _blame(alone, others)
    each: dict[str, bool | None] = {}
    if others and len(versions) > 1:
        for move in companions:
            if move.after is not None and move.before is not None:
                each[str(move)] = differs(str(move), {move.package: move.after})
    guilty = tuple(move for move in companions if each.get(str(move)))
    if others and len(companions) == 1:
        guilty = tuple(companions)
    return Separation(blame, alone, others, each, guilty)


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
