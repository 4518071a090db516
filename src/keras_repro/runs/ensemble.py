"""An ensemble as it is kept: a few numbers of each seed, which of them count, and the margins."""

import errno
import hashlib
import json
import math
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from keras_repro.atomic import write_whole
from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.numbers.chance.apart import LARGEST, ordinary
from keras_repro.numbers.chance.within import Margin, own_margin
from keras_repro.numbers.differences import Array
from keras_repro.recorder.contract import CONDITIONS, MAX_SEED
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.documents import document_of, read_bytes, why
from keras_repro.runs.run import Origin, RunFacts
from keras_repro.runs.trail import figure_of

FILE = "ensemble.json"  # beside baseline.json
ENDING = ".ensemble.json"  # of the last one of a backend, beside its run
VERSION = 1
MOST_SEEDS, MOST_SCALARS, MOST_BYTES = 10_000, 20, 16 << 20
MOST_REASON = 10_000  # characters
AS_ACCEPTED = ("reason", "accepted", "history")  # what an acceptance adds
REMEDY = "make it again: keras-repro ensemble"
# What a later version adds stays, so that its digest does.
STRICT = ConfigDict(strict=True, extra="allow", frozen=True, defer_build=True)
FIGURE = "a number; the string nan, inf or -inf where a seed ended without one"
DEVIATIONS = (
    "how many standard deviations of the seeds that do not lie apart the margin is; null where it "
    "was given as a number, or is what rounding may do"
)

Name = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(max_length=2_000)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Size = Annotated[float, Field(ge=0, le=10 * LARGEST, allow_inf_nan=False)]
Figure = Annotated[
    float,
    BeforeValidator(figure_of),
    PlainSerializer(lambda value: value if math.isfinite(value) else str(value), when_used="json"),
]


class MarginFacts(BaseModel):
    """By how much two means may differ and be alike."""

    model_config = STRICT

    value: Size = Field(description="in the scalar's own units")
    deviations: Annotated[float, Field(gt=0, le=100)] | None = Field(description=DEVIATIONS)

    def as_margin(self) -> Margin:
        """Return it as the decision wants it."""
        return Margin(self.value, self.deviations)


class ScalarFacts(BaseModel):
    """A number of each seed."""

    model_config = STRICT

    primary: bool = Field(description="whether another ensemble has to be alike in it")
    margin: MarginFacts
    values: Annotated[list[Figure], Field(min_length=1, max_length=MOST_SEEDS)] = Field(
        description=f"of each seed, in their order: {FIGURE}"
    )

    def as_array(self) -> Array:
        """Return the values, float64."""
        return np.array(self.values, np.float64)


class EnsembleFacts(BaseModel):
    """``ensemble.json``."""

    model_config = STRICT

    schema_version: int
    workload: Name
    backend: Name
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=MOST_SEEDS)]
    failed: Annotated[dict[Name, Text], Field(max_length=MOST_SEEDS)] = Field(
        default={}, description="{seed: why} of those whose script failed; they have no number"
    )
    alike: Annotated[list[Text], Field(max_length=MOST_SCALARS)] = Field(
        default=[], description="what was the same for all seeds, in words"
    )
    scalars: Annotated[dict[Name, ScalarFacts], Field(min_length=1, max_length=MOST_SCALARS)]
    origin: Origin = Field(description="what the numbers come from, as run.json has it")
    reason: Annotated[str, StringConstraints(max_length=MOST_REASON)] = ""
    accepted: Text = Field(default="", description="when; empty where nobody did")
    history: list[HistoryEntry] = Field(
        default=[], description="the acceptances, the oldest first; arrays_sha256 is of this"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raise ValueError where its parts do not fit each other."""
        if any(count > 1 for count in Counter(self.seeds).values()):
            raise ValueError("a seed stands there twice")
        if not any(scalar.primary for scalar in self.scalars.values()):
            raise ValueError("no scalar of it counts: none is primary")
        for name, scalar in self.scalars.items():
            if len(scalar.values) != len(self.seeds):
                raise ValueError(f"{name} has not a value for each seed")
            if scalar.margin.deviations is None:
                continue
            own = margin_of(scalar.as_array(), scalar.margin.deviations).value
            if not math.isclose(own, scalar.margin.value, rel_tol=1e-6, abs_tol=1e-300):
                raise ValueError(f"the margin of {name} is not that of its values")
        return self

    @property
    def edited(self) -> bool:
        """Whether it is not what was accepted; what nobody accepted is not edited."""
        return bool(self.history) and self.history[-1].arrays_sha256 != content_sha256(self)


def margin_of(values: Array, deviations: float) -> Margin:
    """Return so many standard deviations of the seeds that do not lie apart."""
    return own_margin(values[ordinary(values)], deviations)


def origin_of(facts: RunFacts) -> Origin:
    """Return what a run's numbers come from."""
    kept = {*Origin.model_fields, *(c.name for c in CONDITIONS if c.is_fact)}
    return Origin.model_validate(facts.model_dump(include=kept))


def content_sha256(facts: EnsembleFacts) -> str:
    """Return the SHA-256 of what is accepted, in hexadecimal, over its JSON in one form."""
    known = {n: v for n, v in document(facts).items() if n not in AS_ACCEPTED}
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def document(facts: EnsembleFacts) -> dict[str, Any]:
    """Return it as ``ensemble.json`` has it, but for its history."""
    return facts.model_dump(mode="json", exclude={"history"}, exclude_unset=True)


def written(facts: dict[str, Any]) -> bytes:
    """Return the document as it is written."""
    return (json.dumps(facts, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def last_ensemble(artifacts: Path, workload: str, backend: str) -> Path:
    """Return where the last ensemble of a workload on a backend lies."""
    return artifacts / workload / f"{backend}{ENDING}"


def read_ensemble(path: Path, remedy: str = REMEDY, make: str = REMEDY) -> EnsembleFacts:
    """Return an ensemble; no link is followed.

    ``remedy`` is what to do where it is damaged, ``make`` where there is none.

    Raises:
        MissingError: there is none.
        UnreadableError: it is damaged, or of a newer schema than this keras-repro reads.
    """
    try:
        content = read_bytes(path, MOST_BYTES, os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number in (errno.ENOENT, errno.ENOTDIR):
            raise MissingError(f"no ensemble in {path}; {make}") from None
        said = "it is a link" if number == errno.ELOOP else why(error)
        raise UnreadableError(f"{path} is damaged: {said}; {remedy}") from None
    return document_of(content, path, EnsembleFacts, remedy)


def accepted(folder: Path) -> EnsembleFacts | None:
    """Return the ensemble that is accepted in a baseline's folder, None where there is none.

    Raises:
        UnreadableError: it is damaged.
    """
    with suppress(MissingError):
        return read_ensemble(folder / FILE, f"restore it (git checkout -- {folder / FILE})")
    return None


def write_last(path: Path, facts: EnsembleFacts) -> None:
    """Write the last ensemble of a backend, in one step.

    Raises:
        CannotWriteError: it cannot be written, or a link lies there, which may lead anywhere.
    """
    if path.is_symlink():
        raise CannotWriteError(f"cannot write {path}: it is a link; remove it")
    write_whole(path, written(document(facts)))
