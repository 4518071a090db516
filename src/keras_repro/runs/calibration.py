"""What a calibration measured of a baseline, as ``baseline.json`` keeps it: bounds and evidence."""

import hashlib
import json
import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.numbers.envelopes import Envelope

Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Row = Annotated[int, Field(ge=0)]


class EnvelopeFacts(BaseModel):
    """How far one array may be off, and what was seen."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    starts: list[Row] = Field(description="the rows from which each bound holds, the first 0")
    bounds: list[Size | None] = Field(description="absolute; null where rows are not judged")
    rtol: Size
    moved: Size = Field(description="how far a run was from the baseline at most")
    by: str | None = Field(description="the variation of that run; null where nothing moves it")
    size: Size = Field(description="the root mean square of the array, of a series its largest")

    @property
    def horizon(self) -> int | None:
        """How many rows are judged; None where all of them are."""
        known = self.as_envelope()
        return None if known is None else known.horizon

    def as_envelope(self) -> Envelope | None:
        """Return it as compare wants it; None where it makes no sense."""
        starts, count = self.starts, len(self.starts)
        if (
            not starts
            or starts[0] != 0
            or count != len(self.bounds)
            or starts != sorted(set(starts))
        ):
            return None
        bounds = tuple(math.inf if bound is None else bound for bound in self.bounds)
        return Envelope.of(tuple(starts), bounds, self.rtol)


class CalibrationFacts(BaseModel):
    """From which runs the bounds come, how they were made, and how good they are."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    arrays_sha256: str = Field(description="of the baseline's arrays then")
    variations: list[str] = Field(description="that move numbers, each in its own way")
    alike: list[str] = Field(description="that move nothing, or as another of them does")
    left_out: dict[str, str] = Field(description="{variation: why it could not be made}")
    content: float = Field(description="the share of all runs that are to be within the bounds")
    confidence: float = Field(description="the probability with which that share is")
    factor: float | None = Field(
        description="standard deviations of the logarithms above their mean; null where too few "
        "variations move the numbers to take any"
    )
    false_alarms: dict[str, str] = Field(
        description="{variation: array} of those that were beyond the bounds made without them"
    )
    caught: dict[str, float | None] = Field(
        default={}, description="{plant: the smallest X of 1 + X that is caught, null for none}"
    )
    unbounded: dict[str, str] = Field(description="{array: why no bound could be measured}")
    envelopes: dict[str, EnvelopeFacts]


def calibration_sha256(facts: CalibrationFacts | None) -> str | None:
    """Return the SHA-256 of a calibration in hexadecimal, over its JSON in one form."""
    if facts is None:
        return None
    written = facts.model_dump(mode="json")
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
