"""Several baselines of one workload and backend: the plain one, and one for a numeric class each.

``baselines/<workload>/jax`` is the plain one, ``baselines/<workload>/jax@1f2e3d4c5b6a`` that of a
class, by its short digest.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from keras_repro.errors import KerasReproError, UnreadableError, UsageError
from keras_repro.runs.baselines import FACTS, read_facts
from keras_repro.runs.classes import differing_kernels, same_class
from keras_repro.runs.run import SHORT_DIGITS, Origin

APART = "@"
MOST_CLASSES = 64  # that are looked at for one backend
ENDING = re.compile(rf"{APART}[0-9a-f]{{{SHORT_DIGITS}}}")


@dataclass(frozen=True)
class Choice:
    """The baseline that a run is compared with.

    ``others`` says that there are several. ``is_own`` says that it is of the run's numeric class;
    where it is not, ``differing`` counts the kernels that differ, None where that is not known.
    """

    folder: Path
    others: bool = False
    is_own: bool = True
    differing: int | None = None


def folder_of_class(plain: Path, facts: Origin) -> Path:
    """Return where the baseline of a run's numeric class lies, beside the plain one.

    Raises:
        UsageError: the class of the run is not known, or not whole.
    """
    found = facts.numeric_class
    if found is None or not found.is_whole:
        why = "" if found is None or not found.problem else f": {found.problem}"
        raise UsageError(f"the numeric class of the run is not known{why}; train again")
    return plain.with_name(f"{plain.name}{APART}{found.short}")


def of_classes(plain: Path) -> list[Path]:
    """Return the folders of the baselines of classes, in the order of their names.

    Raises:
        UnreadableError: it cannot be told which there are.
    """
    try:
        return sorted(
            path
            for path in plain.parent.iterdir()
            if path.name.startswith(plain.name)
            and ENDING.fullmatch(path.name, len(plain.name))
            and path.is_dir()
        )[:MOST_CLASSES]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UnreadableError(
            f"cannot read {plain.parent}: {error.strerror or error}; mend its permissions or its "
            "disk"
        ) from None


def all_of(plain: Path) -> list[Path]:
    """Return the folders of all baselines of a workload and backend, the plain one first.

    The plain one is always among them, whether it is there or not. Raises UnreadableError.
    """
    return [plain, *of_classes(plain)]


def choose(plain: Path, facts: Origin | None) -> Choice:
    """Return which baseline a run of these facts is compared with; None stands for no run.

    The one of its own class; where there is none, the one with the fewest differing kernels, and
    of several such the plain one. Raises UnreadableError where it cannot be told which there are;
    that one of them cannot be read is told by whoever reads it.
    """
    others = of_classes(plain)
    if not others:
        return Choice(plain)
    if facts is None or facts.numeric_class is None or not facts.numeric_class.is_whole:
        there = plain if (plain / FACTS).is_file() else others[0]
        return Choice(there, others=True, is_own=False)
    own = folder_of_class(plain, facts)
    if own in others:
        return Choice(own, others=True)
    best: Choice | None = None
    for folder in [plain, *others]:
        with suppress(KerasReproError):
            stored = read_facts(folder)
            if same_class(facts, stored):
                return Choice(folder, others=True)
            names = differing_kernels(facts, stored)
            found = Choice(folder, True, False, None if names is None else len(names))
            if best is None or _distance(found) < _distance(best):
                best = found
    return best or Choice(plain, others=True, is_own=False)


def _distance(choice: Choice) -> float:
    return float("inf") if choice.differing is None else choice.differing


def said(choice: Choice, facts: Origin) -> str:
    """Return what is to be said of a baseline that is not of the run's class; mostly nothing."""
    if choice.is_own or not choice.others:
        return ""
    found, name = facts.numeric_class, choice.folder.name
    if found is None or not found.digest:
        return f"the numeric class of the run is not known; compared with {name}"
    none = f"there is no baseline of the run's numeric class, {found.short}; compared with {name}"
    if choice.differing is None:
        return none
    return f"{none}, in which {choice.differing} of {len(found.kernels)} kernels differ"
