"""Read what a run kept for parity: figures and words in ``parity.json``, arrays beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.documents import why
from keras_repro.runs.npz import Npz
from keras_repro.runs.regular_file import open_regular
from keras_repro.studies.parity.findings import Apart

REMEDY = "run parity again"
MOST_BYTES = 1 << 26  # of parity.json; what is larger is cut, and so damaged


class Facts(BaseModel):
    """Facts that the recorder wrote; what it adds later is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class ArrayFacts(Facts):
    """How an array of this run differs from the reference's, which took its place.

    ``apart`` is there of floats, and where the shapes differ.
    """

    key: str = ""
    missing: bool = False  # in the reference's run
    equal: bool = False
    apart: Apart | None = None


class ChangedFacts(Facts):
    """A layer that the script had trained or loaded before the model's first use."""

    place: str
    weights: list[ArrayFacts]


class LossFacts(Facts):
    """The loss of a model's first batch; ``batch`` is there where it is not the model's first."""

    problem: str | None = None
    batch: list[ArrayFacts] = []


class CallFacts(Facts):
    """A call of a layer."""

    key: str = Field(pattern=r"layers/.+/[0-9]+$")
    place: str
    call: int
    phase: str = "inference"
    name: str
    class_name: str = Field(alias="class")
    module: str
    config: Any = None
    dtype: str = "float32"
    arguments: str = ""
    takes_training: bool = False
    trainable: list[str] = []
    flipped: int | None = None
    arrived: Apart | None = None
    other_mask: bool = False
    alone: Apart | None = None
    problem: str = ""
    no_gradients: str = ""
    compiled: bool = False
    no_float64: str = ""


class ModelFacts(Facts):
    """A model that the script used."""

    prefix: str
    name: str = Field(alias="model")
    method: str
    calls: list[CallFacts]
    batch: list[ArrayFacts] = []
    misfits: list[str] = []
    changed: list[ChangedFacts] = []
    loss: LossFacts = LossFacts()


class ParityFacts(Facts):
    """``parity.json``."""

    schema_version: int = Field(ge=contract.PARITY_SCHEMA, le=contract.PARITY_SCHEMA)
    models: list[ModelFacts]
    switched_off: list[str] = []
    keras: str | None = None
    backend: str | None = None


@dataclass(frozen=True)
class Side:
    """What a run kept for parity."""

    folder: Path
    facts: ParityFacts
    arrays: Npz


def read_side(folder: Path) -> Side:
    """Return what the run in ``folder`` kept of its layers.

    Raises:
        UnreadableError: it kept nothing, its facts or arrays are damaged, or another version of
            keras-repro wrote them.
    """
    path = folder / contract.PARITY_FACTS
    try:
        with open(open_regular(path), "rb") as file:
            facts = ParityFacts.model_validate_json(file.read(MOST_BYTES))
    except ValidationError as error:
        raise UnreadableError(f"{path} {_what(error)}; {REMEDY}") from None
    except OSError as error:
        raise UnreadableError(f"{path} is damaged: {why(error)}; {REMEDY}") from None
    return Side(folder, facts, Npz(folder / contract.PARITY, {}, REMEDY))


def numbers_after(names: Iterable[str], start: str) -> list[int]:
    """Return the numbers that end those names which begin so and end in one, in their order."""
    found = [name.removeprefix(start) for name in names if name.startswith(start)]
    return sorted(int(number) for number in found if number.isdecimal())


def _what(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["loc"] == ("schema_version",):
        return "was written by another version of keras-repro"
    where = ".".join(map(str, first["loc"])) or "it"
    return f"is damaged: {where}: {first['msg']}"
