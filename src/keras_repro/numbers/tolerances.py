"""How far an array may be from what is expected: tolerances by the patterns of array names."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.numbers.comparison import EXACT
from keras_repro.numbers.differences import Tolerance


class Tolerances(BaseModel):
    """``rtol`` and ``atol`` for the arrays whose name matches a pattern; the first match wins."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    rtol: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    atol: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def as_tolerance(self) -> Tolerance:
        """Return them as compare wants them."""
        return Tolerance(self.rtol, self.atol)


# Three times what other processors were seen to change; the README says why.
DEFAULT = Tolerance(rtol=1e-5, atol=1e-7)
EVERY = "*"  # the pattern that every array name matches


def with_default(tolerances: Mapping[str, Tolerances]) -> dict[str, Tolerances]:
    """Return the tolerances, with the default last for the arrays that no pattern is for."""
    default = Tolerances(rtol=DEFAULT.rtol, atol=DEFAULT.atol)
    return {**tolerances, EVERY: tolerances.get(EVERY, default)}


def tolerance_of(name: str, tolerances: Mapping[str, Tolerances]) -> Tolerance:
    """Return the tolerance of the first pattern that ``name`` matches, else exact."""
    return matching_tolerance(name, tolerances) or EXACT


def matching_tolerance(name: str, tolerances: Mapping[str, Tolerances]) -> Tolerance | None:
    """Return the tolerance of the first pattern that ``name`` matches, None where none does."""
    for pattern, tolerance in tolerances.items():
        if fnmatchcase(name, pattern):
            return tolerance.as_tolerance()
    return None
