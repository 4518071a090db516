"""What parity finds, from a single array up to a model: types, and nothing that decides."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from keras_repro.recorder import contract

KINDS = {
    "inference": "output in inference",
    "training": "output in training",
    "weight_gradient": "gradient of weight",
    "input_gradient": "gradient of input",
}


class Another(Enum):
    """Why no figure says how far two arrays are apart; further than any figure."""

    SHAPE = contract.ANOTHER_SHAPE
    KIND = contract.ANOTHER_KIND  # one is infinite or NaN where the other is not


Apart = float | Another


@dataclass(frozen=True)
class Rule:
    """When numbers part; with ``rtol`` or ``atol``, where float32 values are not so close."""

    rtol: float | None = None
    atol: float | None = None

    @property
    def by_tolerance(self) -> bool:
        """Whether tolerances replace the reasoning of ``bounds``."""
        return self.rtol is not None or self.atol is not None


@dataclass(frozen=True)
class Finding:
    """One array of a layer on both sides; errors are relative, None where they mean nothing."""

    kind: str
    index: int
    label: str
    apart: Apart | None = None
    apart64: float | None = None
    error_reference: float | None = None
    error_against: float | None = None
    why: str = ""  # why it parts; empty where it agrees

    @property
    def parts(self) -> bool:
        """Whether the two sides part here."""
        return bool(self.why)

    @property
    def text(self) -> str:
        """What parts, and why, in a sentence without its end."""
        return f"{self.label} {self.why}".strip()


@dataclass(frozen=True)
class LayerParity:
    """One call of a layer. ``problem`` is why it could not be compared, empty where it could.

    ``passed`` is how far the two sides' outputs differ when each goes through its own net, and
    ``arrived`` how far what the layer is given there; ``arguments`` is how its call is written;
    ``flipped`` is how many of its first weights Theano flips, None where others are flipped too;
    ``compiled`` says that a side, JAX, computed its gradients compiled as a whole.
    """

    key: str
    place: str
    name: str
    class_name: str
    module: str
    config: Any
    config_against: Any
    findings: list[Finding]
    problem: str = ""
    passed: Apart | None = None
    notes: list[str] = field(default_factory=list)
    arrived: Apart | None = None
    arguments: str = ""
    takes_training: bool = False
    flipped: int | None = 0
    compiled: bool = False

    @property
    def parting(self) -> list[Finding]:
        """The findings that part, the outputs first."""
        return [finding for finding in self.findings if finding.parts]

    @property
    def verdict(self) -> str:
        """One of: parts, agrees, not compared."""
        if self.parting:
            return "parts"
        return "not compared" if self.problem else "agrees"


@dataclass(frozen=True)
class ModelParity:
    """A model of the script on both sides. ``gradients`` are those of the whole model's loss.

    ``between`` is what parts in the model and in no layer; ``own_weights`` says that the two do
    not go on from the same weights; ``ulps`` is how many float32's there are in one of its own;
    ``other_batch`` is why its first batch is not the reference's, so that nothing is compared.
    """

    name: str
    prefix: str
    method: str
    layers: list[LayerParity]
    loss: Finding | None
    gradients: list[Finding]
    problem: str = ""
    misfits: list[str] = field(default_factory=list)  # weights that could not be put in
    between: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    own_weights: bool = False
    ulps: float = 1.0
    other_batch: str = ""

    @property
    def first(self) -> LayerParity | None:
        """The first layer that parts, in the order of the graph."""
        return next((layer for layer in self.layers if layer.parting), None)

    @property
    def parts(self) -> bool:
        """Whether the two sides part anywhere in the first batch."""
        whole = [*self.gradients, *([] if self.loss is None else [self.loss])]
        return bool(
            self.problem or self.between or self.first or any(finding.parts for finding in whole)
        )
