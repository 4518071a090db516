"""The JSON documents that keras-repro prints, as models: the published schemas come from these."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.runs.array_verdict import STEP, ArrayVerdict, Number
from keras_repro.runs.calibration import CalibrationFacts
from keras_repro.runs.causes import Cause

VERSION: Final = 1

PARTS = "what became of each part of the trail: same, close, differs or unknown"


class CauseDocument(BaseModel):
    """A fact that differs."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    fact: str
    before: str
    after: str


class FirstLinkDocument(BaseModel):
    """The first link of the trail that differs, where both sides have one."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    kind: str = Field(description="of link: data, say; results where the arrays alone differ")
    place: str
    step: int | None = Field(description="a training step, from 1: how many had been done")
    last_step: int | None = Field(description="where it lies between two steps, the later one")
    text: str
    explanations: list[str]


class BackendVerdicts(BaseModel):
    """One backend's."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    backend: str
    exit_code: int
    problem: str | None
    note: str | None
    causes: list[CauseDocument] = Field(description="facts that differ, the likeliest cause first")
    arrays: list[ArrayVerdict]
    first_link: FirstLinkDocument | None = None
    trail: dict[str, str] | None = Field(default=None, description=PARTS)


class CheckDocument(BaseModel):
    """What ``keras-repro check --format json`` prints."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro check")

    schema_version: Literal[1]
    workload: str
    exit_code: int
    backends: list[BackendVerdicts]


class ChecksDocument(BaseModel):
    """What ``keras-repro check --format json`` prints where it checks several workloads."""

    model_config = ConfigDict(
        extra="forbid", defer_build=True, title="keras-repro check, several workloads"
    )

    schema_version: Literal[1]
    exit_code: int
    workloads: list[CheckDocument]


class VerifiedPart(BaseModel):
    """What became of one part of a baseline."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    part: Literal["arrays", "trail", "history", "ensemble", "git"]
    result: Literal["good", "bad", "unknown"]
    says: str


class VerifiedBaseline(BaseModel):
    """One baseline's."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    workload: str
    backend: str
    exit_code: int
    problem: str | None = Field(description="why it cannot be verified at all")
    parts: list[VerifiedPart]


class VerifyDocument(BaseModel):
    """What ``keras-repro verify --format json`` prints."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro verify")

    schema_version: Literal[1]
    exit_code: int
    baselines: list[VerifiedBaseline]


class CompareDocument(BaseModel):
    """What ``keras-repro compare --format json`` prints: the second run against the first."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro compare")

    schema_version: Literal[1]
    expected: str
    obtained: str
    exit_code: int
    causes: list[CauseDocument]
    arrays: list[ArrayVerdict]
    first_link: FirstLinkDocument | None = None
    trail: dict[str, str] | None = Field(default=None, description=PARTS)


class VariationDocument(BaseModel):
    """What one variation moves, against the base."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: str
    factor: str
    changes: dict[str, Any] = Field(description="conditions that are others, with their values")
    result: Literal["same", "moved", "beyond", "skipped", "failed"]
    problem: str | None = Field(description="why it was skipped, or how it failed")
    run: str | None = Field(description="the folder of its run, beside that of the base")
    known: bool = Field(description="whether that was there before")
    seconds: float
    moved: list[str] = Field(description="arrays with other bits; no initial weights moved by it")
    first_step: int | None = Field(description=STEP)
    first_link: str | None = Field(description="of the trail, that differs beyond rounding")
    arrays: list[ArrayVerdict]


class VaryDocument(BaseModel):
    """What ``keras-repro vary --format json`` prints."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro vary")

    schema_version: Literal[1]
    workload: str
    backend: str
    exit_code: int
    base: str = Field(description="the folder of the run that all are compared with")
    tolerances: str
    variations: list[VariationDocument]


class CalibrateDocument(BaseModel):
    """What ``keras-repro calibrate --format json`` prints."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro calibrate")

    schema_version: Literal[1]
    workload: str
    backend: str
    baseline: str = Field(description="the folder of the baseline")
    calibration: CalibrationFacts


class EnsembleSide(BaseModel):
    """One of two ensembles."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    path: str
    workload: str
    backend: str
    seeds: int
    accepted: str | None = Field(description="when; null where nobody did")


class ScalarVerdict(BaseModel):
    """What is found of a scalar; pairs are of the expected side and the obtained one."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: str
    primary: bool
    verdict: Literal["different", "equivalent", "inconclusive"]
    seeds: tuple[int, int] = Field(description="that are compared: those that do not lie apart")
    apart: tuple[int, int] = Field(description="seeds without a number, or far from all others")
    means: tuple[Number, Number]
    deviations: tuple[Number, Number] = Field(description="standard, with n - 1")
    difference: Number = Field(description="of the means, obtained - expected")
    interval: tuple[Number, Number] = Field(description="of it, with 90 % confidence")
    margin: Number
    margin_deviations: Number | None = Field(
        description="how many standard deviations of the expected seeds it is; null where given"
    )
    p_within: Number = Field(description="the larger p of the two one-sided tests")
    p: dict[Literal["mean", "spread", "rate"], Number]
    significant: list[Literal["mean", "spread", "rate"]] = Field(
        description="what counts after Benjamini and Hochberg's procedure over all tests"
    )
    rates: tuple[Number, Number] | None = Field(
        description="the interval of the difference of the rates of seeds that lie apart"
    )
    power: Number | None = Field(description="how often it is shown alike where nothing differs")


class EnsembleRates(BaseModel):
    """What the decision does on the expected seeds, drawn against themselves; shares of 1."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    size: Number = Field(description='"different" where nothing differs')
    power: Number = Field(description='"equivalent" where nothing differs')
    mistaken: Number = Field(description="a mean that is off by the margin is taken to be within")
    seen: Number = Field(description="a mean that is off by the margin is found to be off")


class EquivalentDocument(BaseModel):
    """What ``keras-repro equivalent --format json`` prints."""

    model_config = ConfigDict(extra="forbid", defer_build=True, title="keras-repro equivalent")

    schema_version: Literal[1]
    exit_code: int
    verdict: Literal["different", "equivalent", "inconclusive"]
    expected: EnsembleSide
    obtained: EnsembleSide
    needed: int | None = Field(
        description="seeds on each side that decide in 80 %; 0: decided; null: none would"
    )
    rates: EnsembleRates | None
    causes: list[CauseDocument]
    left_out: list[str] = Field(description="scalars that only one of the two has")
    scalars: list[ScalarVerdict]


class EquivalentsDocument(BaseModel):
    """``keras-repro check --ensemble --format json``."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    schema_version: Literal[1]
    exit_code: int
    problems: dict[str, str] = Field(
        description="{workload:backend: why} of those that could not be compared"
    )
    ensembles: list[EquivalentDocument]


def cause_document(cause: Cause) -> CauseDocument:
    """Return a cause as a document."""
    return CauseDocument(fact=cause.fact, before=cause.before, after=cause.after)
