"""One array's verdict and figures as JSON, in printed documents and in histories.

JSON has no NaN and no infinities: there a figure is the string ``nan``, ``inf`` or ``-inf``.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.numbers.comparison import Comparison, Verdict

Number = int | float | Literal["nan", "inf", "-inf"]
Index = Annotated[list[int], Field(description="an index into the array, from 0")]
KNOWN = "; of the sample alone, where the note says that it is judged on one"
STEP = "a training step, from 0: its update, or the next one's data, is where the costs part"


class ArrayVerdict(BaseModel):
    """One array's verdict and figures; null is what means nothing for it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: str
    verdict: Verdict
    rtol: Number
    atol: Number
    elements: int
    differing: int = Field(description=f"elements whose bits differ{KNOWN}")
    outside: int = Field(description=f"elements that are not close{KNOWN}")
    max_absolute: Number | None
    max_relative: Number | None
    max_ulps: int | None
    first: Index | None = Field(description="the first element whose bits differ")
    first_outside: Index | None = Field(description="the first element that is not close")
    first_step: int | None = Field(description=STEP)
    first_step_outside: int | None = Field(description="the same of the costs that are not close")
    worst: Index | None = Field(description="the element furthest outside the tolerance")
    obtained: Number | bool | str | None = Field(description="the value at worst")
    expected: Number | bool | str | None
    note: str
    times: Number | None = Field(
        default=None,
        description="how many times as far as a calibration allows, at worst; only where one does",
        exclude_if=lambda value: value is None,  # documents without one are as they were before
    )
    judged: int | None = Field(
        default=None,
        description="how many rows are judged; only where a calibration leaves some out",
        exclude_if=lambda value: value is None,
    )


def array_verdict(comparison: Comparison) -> ArrayVerdict:
    """Return a comparison as a document."""
    return ArrayVerdict(
        name=comparison.name,
        verdict=comparison.verdict,
        rtol=json_number(comparison.tolerance.rtol),
        atol=json_number(comparison.tolerance.atol),
        elements=comparison.elements,
        differing=comparison.differing,
        outside=comparison.outside,
        max_absolute=json_number(comparison.max_absolute),
        max_relative=json_number(comparison.max_relative),
        max_ulps=comparison.max_ulps,
        first=_index(comparison.first),
        first_outside=_index(comparison.first_outside),
        first_step=comparison.first_step,
        first_step_outside=comparison.first_step_outside,
        worst=_index(comparison.worst),
        obtained=json_number(comparison.obtained),
        expected=json_number(comparison.expected),
        note=comparison.note,
        times=json_number(comparison.times),
        judged=comparison.judged,
    )


def json_number(value: Any) -> Any:
    """Return a figure as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | bool | str | None) else str(value)


def _index(index: tuple[int, ...] | None) -> list[int] | None:
    return None if index is None else list(index)
