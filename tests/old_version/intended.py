"""What the present version does otherwise on purpose, each pointing into CHANGELOG.md.

An entry covers the differences of the cases that match a pattern, at the places that match another,
where they are just what it says. Every entry names a case in which it is to be seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.old_version.differing import Difference


@dataclass(frozen=True)
class Intended:
    """A change on purpose.

    ``changelog`` are words of CHANGELOG.md. ``cases`` and ``what`` are shell patterns, of names of
    cases and of places that differ ("exit", "stdout", "written NAME: KEY"). ``is_just`` says
    whether a difference is what was intended and nothing else. ``seen_in`` is a case.
    """

    changelog: str
    cases: str
    what: str
    is_just: Callable[[Difference], bool]
    seen_in: str

    def covers(self, difference: Difference) -> bool:
        """Return whether a difference is this one."""
        return (
            fnmatchcase(difference.case, self.cases)
            and fnmatchcase(difference.what, self.what)
            and self.is_just(difference)
        )


def from_to(old: Any, new: Any) -> Callable[[Difference], bool]:
    """Return what asks for one value in place of another."""
    return lambda difference: (difference.old, difference.new) == (old, new)


def names_also(*tokens: str) -> Callable[[Difference], bool]:
    """Return what asks that prose names this besides, and all that it named."""
    return lambda difference: not difference.old and sorted(difference.new) == sorted(tokens)


def leaves_out(*tokens: str) -> Callable[[Difference], bool]:
    """Return what asks that prose leaves just this out."""
    return lambda difference: sorted(difference.old) == sorted(tokens) and not difference.new


INTENDED: list[Intended] = []
