"""Read the trail of a run or a baseline: docs/reference/trail.md says what stands in it."""

import errno
import hashlib
import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.documents import document_of, read_bytes

NOT_FINITE = ("nan", "inf", "-inf")
REMEDY = "make the run again"
MANY = -1  # words drawn: more than could be counted, or the generator was seeded anew


def figure_of(value: Any) -> float:
    """Return a number of the document. Raises ValueError where it is none."""
    if value in NOT_FINITE if isinstance(value, str) else type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:  # an integer that no float holds
            return math.inf if value > 0 else -math.inf
    raise ValueError('not a number, nor one of "nan", "inf" and "-inf"')


Figure = Annotated[float, BeforeValidator(figure_of)]
STRICT = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class Value(BaseModel):
    """What is told of one value; the figures are None where they are not told."""

    model_config = STRICT

    digest: str
    dtype: str
    shape: list[NonNegativeInt]
    mean: Figure | None = None
    minimum: Figure | None = None
    maximum: Figure | None = None
    norm: Figure | None = None


class Generators(BaseModel):
    """The states of the generators at a point. ``drew``: 32-bit words, -1 where too many.

    ``moved`` are those of them that the script had seeded or drawn from before.
    """

    model_config = STRICT

    kind: Literal["generators"]
    at: str
    step: NonNegativeInt = 0
    states: dict[str, str]
    drew: dict[str, int] = {}
    moved: list[str] = []


class File(BaseModel):
    """A file that the script read."""

    model_config = STRICT

    kind: Literal["file"]
    path: str
    step: NonNegativeInt = 0
    bytes: NonNegativeInt
    digest: str


class Data(BaseModel):
    """What a call was given. ``value`` is None where it was not seen, and ``unseen`` says why.

    ``together``: of how many calls or batches it is, this one the last of them.
    """

    model_config = STRICT

    kind: Literal["data"]
    model: PositiveInt | None = None
    call: str = ""
    number: NonNegativeInt | None = None
    argument: str = ""
    batch: NonNegativeInt | None = None
    together: PositiveInt = 1
    step: NonNegativeInt = 0
    value: Value | None = None
    unseen: str = ""


class InitialWeights(BaseModel):
    """The weights of a model as they were made."""

    model_config = STRICT

    kind: Literal["initial weights"]
    model: PositiveInt = 1
    step: NonNegativeInt = 0
    weights: dict[str, Value]


class Cost(BaseModel):
    """The cost of a step."""

    model_config = STRICT

    kind: Literal["cost"]
    model: PositiveInt = 1
    step: NonNegativeInt
    value: Value


class Weights(BaseModel):
    """The weights of a model after a step."""

    model_config = STRICT

    kind: Literal["weights"]
    model: PositiveInt = 1
    step: NonNegativeInt
    weights: dict[str, Value]


Link = Generators | File | Data | InitialWeights | Cost | Weights
KINDS = ("generators", "file", "data", "initial weights", "cost", "weights")


class Trail(BaseModel):
    """``trail.json``: the links in the order in which they came to be."""

    model_config = STRICT

    schema_version: int
    left_out: NonNegativeInt = 0
    links: list[Annotated[Link, Field(discriminator="kind")]]

    @model_validator(mode="before")
    @classmethod
    def _of_known_kinds(cls, document: Any) -> Any:
        """Pass over links of kinds that a later version may add."""
        links = document.get("links") if isinstance(document, dict) else None
        if not isinstance(links, list):
            return document
        known = [
            link
            for link in links
            if not isinstance(link, dict)
            or not isinstance(kind := link.get("kind"), str)
            or kind in KINDS
        ]
        return {**document, "links": known}


@dataclass(frozen=True)
class TrailFile:
    """A trail as it stood when its folder was read.

    ``content`` is None where there is none; ``problem`` says why it cannot be read.
    """

    path: Path
    content: bytes | None = None
    problem: str = ""
    remedy: str = REMEDY

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the file in hexadecimal, None where there is none."""
        return None if self.content is None else hashlib.sha256(self.content).hexdigest()

    @cached_property
    def trail(self) -> Trail | None:
        """The trail, None where there is none. Raises UnreadableError where it is damaged."""
        self.check_read()
        if self.content is None:
            return None
        return document_of(self.content, self.path, Trail, self.remedy)

    def check_read(self) -> None:
        """Raise UnreadableError where there is one that cannot be read."""
        if self.problem:
            raise UnreadableError(f"{self.path} is damaged: {self.problem}; {self.remedy}")


def read_trail(folder: Path, remedy: str = REMEDY) -> TrailFile:
    """Return the trail in a folder as it stands now; no link is followed."""
    path = folder / contract.TRAIL
    try:
        return TrailFile(path, read_bytes(path, contract.MOST_TRAIL_BYTES, os.O_NOFOLLOW))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return TrailFile(path)
        return TrailFile(path, problem=error.strerror or str(error), remedy=remedy)
    except ValueError as error:
        return TrailFile(path, problem=str(error), remedy=remedy)
