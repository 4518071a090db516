"""Read what a run or a baseline tells of arrays that it does not keep, being too large."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from keras_repro.numbers.summaries import Figures, Summary
from keras_repro.recorder import contract
from keras_repro.runs.npz import MAX_DIMENSIONS, Npz, Stored, problem_of
from keras_repro.runs.regular_file import Held

Kept = Stored | Summary

SUMMARIES = (
    "{name: what is known} of the arrays that were too large to be kept; a sample of each stands "
    "under its name in samples.npz"
)
SHA256 = "of its elements in C order, each with its least significant byte first, in hexadecimal"
FINITE = "of the finite elements, of complex numbers of their moduli; null where there is none"


class SummaryFacts(BaseModel):
    """What is known of an array that was too large to be kept."""

    model_config = ConfigDict(extra="ignore", defer_build=True, allow_inf_nan=False)

    dtype: str
    shape: list[NonNegativeInt] = Field(max_length=MAX_DIMENSIONS)
    sha256: str = Field(description=SHA256)
    nonfinite: NonNegativeInt = Field(default=0, description="how many elements are not finite")
    mean: float | None = Field(default=None, description=FINITE)
    minimum: float | None = Field(default=None, description=FINITE)
    maximum: float | None = Field(default=None, description=FINITE)
    norm: float | None = Field(default=None, description=f"Euclidean, {FINITE}")


def open_summaries(
    file: Path | Held, facts: Mapping[str, SummaryFacts], remedy: str = "make the run again"
) -> dict[str, Summary]:
    """Return the summaries of a run or a baseline by name, their samples not yet read.

    Raises:
        UnreadableError: a sample is missing, or of another array than its facts say.
    """
    if not facts:
        return {}
    samples = Npz(file, {name: one.dtype for name, one in facts.items()}, remedy)
    return {name: _summary(samples, name, one) for name, one in facts.items()}


def _summary(samples: Npz, name: str, facts: SummaryFacts) -> Summary:
    sample, shape = samples.get(name), tuple(facts.shape)
    count = min(contract.count_of(shape), contract.SAMPLE)
    if sample is None or (sample.name, sample.shape) != (facts.dtype, (count,)):
        raise samples.damaged(f"{name} is not there as the sample of such an array")
    if problem_of(sample.dtype, shape):
        raise samples.damaged(f"{name} {problem_of(sample.dtype, shape)}")
    figures = Figures(facts.nonfinite, facts.mean, facts.minimum, facts.maximum, facts.norm)
    return Summary(facts.dtype, shape, facts.sha256, figures, sample)


def summaries_sha256(facts: Mapping[str, SummaryFacts], samples_sha256: str | None) -> str | None:
    """Return the SHA-256 of all that is known of such arrays, in hexadecimal; None for none."""
    if not facts:
        return None
    known = {name: one.model_dump(mode="json") for name, one in facts.items()}
    text = json.dumps([known, samples_sha256], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
