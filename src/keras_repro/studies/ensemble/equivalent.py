"""The decision on two ensembles that are kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import ExitCode, UnreadableError, UsageError
from keras_repro.numbers.chance.decide import (
    Decision,
    Found,
    Scalar,
    decide,
    decision_of,
)
from keras_repro.numbers.chance.needed import seeds_needed
from keras_repro.numbers.chance.resampled import Rates, resampled
from keras_repro.project.workload import Workload
from keras_repro.runs.causes import Cause, likely_causes
from keras_repro.runs.ensemble import FILE, EnsembleFacts, last_ensemble, read_ensemble
from keras_repro.runs.hashing import file_sha256
from keras_repro.studies.ensemble.ensemble import with_margins

CODES = {
    Decision.DIFFERENT: ExitCode.DRIFT,
    Decision.EQUIVALENT: ExitCode.OK,
    Decision.INCONCLUSIVE: ExitCode.UNDECIDED,
}


@dataclass(frozen=True)
class Side:
    """One of the two ensembles. ``path`` is where it lies, None where it was made and not kept.

    ``under`` says in words in which environment it was made, where not in the backend's own.
    """

    path: Path | None
    facts: EnsembleFacts
    under: str = ""

    @property
    def name(self) -> str:
        """What it is of, in words."""
        under = f" {self.under}" if self.under else ""
        return f"{self.facts.workload} on {self.facts.backend}{under}"


@dataclass(frozen=True)
class Compared:
    """What is found of two ensembles, scalar by scalar, those that count first.

    The expected one says which scalars count and what their margins are. ``left_out`` names the
    scalars that only one of the two has. ``causes`` are the facts in which they differ.
    """

    expected: Side
    obtained: Side
    found: list[Found]
    left_out: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    @cached_property
    def decision(self) -> Decision:
        """The decision on the two."""
        return decision_of(self.found)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        return CODES[self.decision]

    @cached_property
    def needed(self) -> int | None:
        """How many seeds on each side would decide; None where none would."""
        return seeds_needed(self.found)

    @cached_property
    def rates(self) -> Rates | None:
        """What the decision does on the expected seeds, drawn against themselves."""
        return resampled([one.scalar for one in self.found])

    @property
    def seeds(self) -> tuple[int, int]:
        """How many seeds there are, expected and obtained."""
        return len(self.expected.facts.seeds), len(self.obtained.facts.seeds)


def read_side(path: Path, make: str) -> Side:
    """Return an ensemble as one of two; ``make`` is what to do where there is none.

    Raises:
        MissingError, UnreadableError: it is not there, damaged, or not what was accepted.
    """
    facts = read_ensemble(path, make=make)
    if facts.edited:
        raise UnreadableError(f"{path} is not what was accepted; restore it from git")
    return Side(path, facts)


def accepted_side(folder: Path, make: str) -> Side:
    """Return the ensemble that is accepted in a baseline's folder; ``make`` as read_side has it.

    Raises:
        MissingError, UnreadableError: as read_side does; or nobody accepted what lies there.
    """
    side = read_side(folder / FILE, make)
    if not side.facts.history:
        raise UnreadableError(f"nobody accepted {side.path}; restore it from git")
    return side


def last_side(workload: Workload, backend: Backend, artifacts: Path) -> Side:
    """Return the last ensemble of a workload on a backend. Raises as read_side does."""
    path = last_ensemble(artifacts, workload.name, backend.name)
    return read_side(path, to_make(workload, backend))


def to_make(workload: Workload, backend: Backend) -> str:
    """Return what makes the last ensemble, in words."""
    what = f"{workload.argument} " if workload.argument else ""
    return f"make it: keras-repro ensemble {what}--backend {backend.name}"


def script_changed(side: Side, workload: Workload) -> str:
    """Return that a workload's script is another than an ensemble's; nothing where it is not."""
    was = side.facts.origin.script_sha256
    if was is None or was == file_sha256(workload.script_path):
        return ""
    return "the script was changed since " + str(side.path or side.name)


def equivalent(expected: Side, obtained: Side, margins: Mapping[str, float]) -> Compared:
    """Return what is found of two ensembles; ``margins`` replace those of the expected one.

    Raises:
        UsageError: they have no scalar in common, one that counts is missing, or a margin is of
            none.
    """
    facts = with_margins(expected.facts, margins)
    theirs = obtained.facts.scalars
    common = [name for name in facts.scalars if name in theirs]
    lacking = [n for n, one in facts.scalars.items() if one.primary and n not in common]
    if lacking or not common:
        raise UsageError(
            f"{obtained.path or obtained.name} has no {', '.join(lacking) or 'scalar'} of "
            f"{expected.path or expected.name}: they are not of the same model; compare ensembles "
            "of one script"
        )
    scalars = [
        Scalar(
            name,
            facts.scalars[name].as_array(),
            theirs[name].as_array(),
            facts.scalars[name].margin.as_margin(),
            facts.scalars[name].primary,
            _same(facts, obtained.facts, name),
        )
        for name in sorted(common, key=lambda name: not facts.scalars[name].primary)
    ]
    return Compared(
        expected,
        obtained,
        decide(scalars),
        [name for name in {**facts.scalars, **theirs} if name not in common],
        likely_causes(obtained.facts.origin, facts.origin),
    )


def _same(expected: EnsembleFacts, obtained: EnsembleFacts, name: str) -> bool:
    """Return whether the seeds are the same, and each gives the same finite number of a scalar."""
    mine, theirs = expected.scalars[name].values, obtained.scalars[name].values
    return expected.seeds == obtained.seeds and mine == theirs and all(map(math.isfinite, mine))
