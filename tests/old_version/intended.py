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


def _one_column_more(difference: Difference) -> bool:
    """Return whether a matrix in Markdown has a cell or two more a row, and all that it had."""
    return not difference.old and all(word[0] in "✅❌" for word in difference.new)


MATRIX = "The parts of the matrix now include metrics with history, and a script's own arrays"
NO_SEED = (
    "`check` asked whether something in the script is unseeded where its own causes named a changed"
)
OWN_NAN = 'NaN in a script\'s own array whose name contains "costs" was reported as a training'
PRUNE = "`keras-repro prune` removes what searches and previews kept."
DURATIONS = "Durations were negative after a time limit or `os._exit`."

INTENDED = [
    *(
        Intended(
            MATRIX, f"check-{name}-markdown", "stdout", _one_column_more, f"check-{name}-markdown"
        )
        for name in (
            "every-verdict",
            "rich-identical",
            "rich-all-drift",
            "own-array-drifts",
            "own-array-nan",
            "metric-drifts",
            "history-drifts",
            "second-model-drifts",
        )
    ),
    Intended(
        NO_SEED,
        "check-cause-*-near",
        "document: backends: 0: note",
        lambda difference: difference.old.startswith("close, but") and difference.new is None,
        "check-cause-variable-near",
    ),
    Intended(PRUNE, "help", "stdout", names_also("prune"), "help"),
    Intended(OWN_NAN, "accept-own-nan", "exit", from_to(4, 0), "accept-own-nan"),
    Intended(OWN_NAN, "accept-own-nan", "stderr*", lambda difference: True, "accept-own-nan"),
    Intended(
        OWN_NAN,
        "accept-own-nan",
        "stdout",
        lambda difference: not difference.old and "my/costs/first: nonfinite" in difference.new,
        "accept-own-nan",
    ),
    Intended(
        OWN_NAN,
        "accept-own-nan",
        "written baselines/regression/jax/*",
        lambda difference: difference.old == "no" and difference.new != "no",
        "accept-own-nan",
    ),
]
