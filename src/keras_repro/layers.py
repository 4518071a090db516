"""Judge whether two runs compute the same in each layer, from what the recorder kept of both.

A layer was computed alone, on both sides, from the same weights and the same inputs, in float32
and in float64. It parts where

- the two float64 computations differ by more than ``MEANING`` of the largest value: rounding in
  float64 is a hundred million times smaller, so the two mean something else; or
- the float32 error of one side, against float64, is more than ``FACTOR`` times the other's, and
  than ``FLOOR``: the rule by which PyTorch's compiler tests tell a wrong kernel from rounding
  (``torch._dynamo.utils.same``: an error against a float64 reference, a multiple of the error of
  the eager float32 computation). Each side's error is taken against its own float64.

Where a layer cannot be computed in float64, it parts where the float32 values differ by more than
``WITHOUT_FLOAT64``. All are relative to the largest absolute value of the array in float64; the
float32 errors of a layer's gradients to the largest of them all, since a sum of terms that cancel
is as uncertain as its terms are large.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_repro.differences import Array
from keras_repro.errors import KerasReproError, UnreadableError
from keras_repro.npz import Npz, Stored
from keras_repro.recorder import layout

MEANING = 1e-6
FACTOR = 10.0
MEANING_FLOOR = 1e-7  # of a layer's largest gradient: no float32 tells less from nothing
FLOOR = 3e-6  # 25 ulps of float32: what sums of some hundred terms, in another order, give
WITHOUT_FLOAT64 = FACTOR * FLOOR
WHOLE_GRADIENT = 1e-4  # of the largest gradient of a model
OPTIMIZER = 1e-4  # of the cost after one step

KINDS = {
    "inference": "output in inference",
    "training": "output in training",
    "weight_gradient": "gradient of weight",
    "input_gradient": "gradient of input",
}


@dataclass(frozen=True)
class Rule:
    """When numbers part; with ``rtol`` or ``atol``, where float32 values are not so close."""

    rtol: float | None = None
    atol: float | None = None

    @property
    def by_tolerance(self) -> bool:
        """Whether the reasoning of the module is replaced by tolerances."""
        return self.rtol is not None or self.atol is not None


@dataclass(frozen=True)
class Finding:
    """One array of a layer on both sides; errors are relative, None where they mean nothing."""

    kind: str
    index: int
    label: str
    apart: float | None = None
    apart64: float | None = None
    error_reference: float | None = None
    error_against: float | None = None
    why: str = ""  # why it parts; empty where it agrees

    @property
    def parts(self) -> bool:
        """Whether the two sides part here."""
        return bool(self.why)


@dataclass(frozen=True)
class LayerParity:
    """One call of a layer. ``problem`` is why it could not be compared, empty where it could.

    ``passed`` is how far the two sides' outputs differ when each goes through its own net.
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
    passed: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def parting(self) -> list[Finding]:
        """The findings that part, the outputs first."""
        return [finding for finding in self.findings if finding.parts]

    @property
    def verdict(self) -> str:
        """One of: parts, agrees, not compared."""
        if self.problem:
            return "not compared"
        return "parts" if self.parting else "agrees"


@dataclass(frozen=True)
class ModelParity:
    """A model of the script on both sides. ``gradients`` are those of the whole model's loss."""

    name: str
    prefix: str
    method: str
    layers: list[LayerParity]
    loss: Finding | None
    gradients: list[Finding]
    problem: str = ""
    misfits: list[str] = field(default_factory=list)  # weights that could not be put in

    @property
    def first(self) -> LayerParity | None:
        """The first layer that parts, in the order of the graph."""
        return next((layer for layer in self.layers if layer.parting), None)


@dataclass(frozen=True)
class Side:
    """What a run kept for parity."""

    folder: Path
    facts: dict[str, Any]
    arrays: Npz


def read_side(folder: Path) -> Side:
    """Return what the run in ``folder`` kept of its layers. Raises UnreadableError."""
    try:
        facts = json.loads((folder / layout.PARITY_FACTS).read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not isinstance(facts["models"], list):
            raise TypeError
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UnreadableError(
            f"{folder / layout.PARITY_FACTS} is damaged: {type(error).__name__}; run parity again"
        ) from None
    return Side(folder, facts, Npz(folder / layout.PARITY, {}, "run parity again"))


def judge(reference: Side, against: Side, rule: Rule = Rule()) -> list[ModelParity]:
    """Return how the models of two runs compare, layer by layer, in the order of their use."""
    theirs = {model["prefix"]: model for model in against.facts["models"]}
    return [
        _model(reference.arrays, against.arrays, model, theirs.get(model["prefix"]), rule)
        for model in reference.facts["models"]
    ]


def optimizer_parts(reference: Array, against: Array) -> float | None:
    """Return how far the costs after the first step are apart, None where that is within reason.

    The first costs agree where the layers and the loss do; so where the second do not, and no
    gradient parts, the step between them is another one.
    """
    if min(reference.size, against.size) < 2 or reference.ndim != 1 or against.ndim != 1:
        return None
    scale = float(np.max(np.abs(reference[:2])))
    if not math.isfinite(scale) or scale == 0:
        return None
    first, second = np.abs(reference[:2].astype(float) - against[:2].astype(float)) / scale
    return float(second) if first <= OPTIMIZER < second else None


def _model(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    model: dict[str, Any],
    theirs: dict[str, Any] | None,
    rule: Rule,
) -> ModelParity:
    prefix = model["prefix"]
    if theirs is None:
        problem = "the other backend's run does not use this model"
        return ModelParity(model["model"], prefix, model["method"], [], None, [], problem)
    calls = {call["key"]: call for call in theirs["calls"]}
    layers = [
        _layer(reference, against, call, calls.get(call["key"]), rule) for call in model["calls"]
    ]
    more = [key for key in calls if key not in {call["key"] for call in model["calls"]}]
    problem = f"the other backend also calls {', '.join(more)}" if more else ""
    loss = None
    if f"{prefix}loss" in reference and f"{prefix}loss" in against:
        loss = _compared("loss", 0, "loss", reference, against, f"{prefix}loss", rule)
    gradients = list(_gradients(reference, against, prefix, rule))
    return ModelParity(
        *(model["model"], prefix, model["method"], layers, loss, gradients, problem),
        misfits=[str(text) for text in theirs.get("misfits", [])],
    )


def _gradients(
    reference: Mapping[str, Stored], against: Mapping[str, Stored], prefix: str, rule: Rule
) -> Iterator[Finding]:
    """Yield the gradients of the whole model: relative to the largest of them all.

    A gradient that is nothing but rounding, as of a bias before a normalisation, is no difference.
    """
    start = f"{prefix}gradients/"
    names = [name for name in reference if name.startswith(start) and name in against]
    pairs = [(name, reference[name].load(), against[name].load()) for name in names]
    scale = max((_largest(mine) for _, mine, _ in pairs), default=0.0) or 1.0
    for name, mine, other in pairs:
        label = f"gradient of {name.removeprefix(start)}"
        if mine.shape != other.shape:
            yield Finding("gradient", 0, label, why=f"shape {mine.shape} and {other.shape}")
            continue
        apart = _largest(_minus(mine, other)) / scale
        why = ""
        if rule.by_tolerance:
            why = _outside(mine, other, rule)
        elif not apart <= WHOLE_GRADIENT:
            why = f"differs by {apart:.1e}"
        yield Finding("gradient", 0, label, apart, why=why)


def _layer(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    call: dict[str, Any],
    theirs: dict[str, Any] | None,
    rule: Rule,
) -> LayerParity:
    key = call["key"]
    problem = call.get("problem", "")
    if theirs is None:
        problem = "the other backend does not call it"
    elif not problem and theirs.get("problem"):
        problem = str(theirs["problem"])
    excused = bool(call.get("no_gradients") or (theirs or {}).get("no_gradients"))
    findings = [] if problem else list(_findings(reference, against, call, rule, excused))
    notes = [
        f"no {what} on {side}: {facts[f'no_{what}']}"
        for what in ("float64", "gradients")
        for side, facts in (("the reference", call), ("the other", theirs or {}))
        if facts.get(f"no_{what}")
    ]
    return LayerParity(
        key=key,
        place=call["place"] + ("" if call["call"] == 1 else f" (call {call['call']})"),
        name=call["name"],
        class_name=call["class"],
        module=call["module"],
        config=call["config"],
        config_against=(theirs or {}).get("config"),
        findings=findings,
        problem=problem,
        passed=_passed(reference, against, key),
        notes=notes,
    )


def _findings(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    call: dict[str, Any],
    rule: Rule,
    excused: bool,
) -> Iterator[Finding]:
    for kind, words in KINDS.items():
        start = f"{call['key']}/{kind}/"
        wide = [_largest(reference[name].load()) for name in reference if name.startswith(start)]
        scale = max(wide, default=0.0) if kind.endswith("gradient") else 0.0
        indices = sorted(
            {
                int(name.rpartition("/")[2])
                for arrays in (reference, against)
                for name in arrays
                if name.startswith(start)
            }
        )
        for index in indices:
            label = words if kind in ("inference", "training") else f"{words} {index}"
            if kind == "weight_gradient" and index < len(call["trainable"]):
                label = f"{words} {call['trainable'][index]}"
            elif index and kind in ("inference", "training"):
                label = f"{words}, part {index}"
            key = f"{call['key']}/{kind}/{index}"
            yield _compared(kind, index, label, reference, against, key, rule, scale, excused)


def _compared(
    kind: str,
    index: int,
    label: str,
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    key: str,
    rule: Rule,
    wide: float = 0.0,
    excused: bool = False,
) -> Finding:
    """Return how an array compares.

    ``wide`` is a scale for float32 errors that is larger; ``excused`` says that one side may lack
    it, since it could compute none, which is said elsewhere.
    """
    if key not in reference or key not in against:
        # Frameworks differ in what they say of a gradient that is nothing: none, or zeros.
        there = (reference if key in reference else against)[key].load()
        why = "" if excused or not np.any(there) else "only one side has it"
        return Finding(kind, index, label, why=why)
    mine, other = reference[key].load(), against[key].load()
    if mine.shape != other.shape:
        return Finding(kind, index, label, why=f"shape {mine.shape} and {other.shape}")
    key64 = f"{key.removesuffix(f'/{kind}/{index}')}/float64/{kind}/{index}"
    mine64, other64 = (_of_shape(side, key64, mine.shape) for side in (reference, against))
    truth = mine64 if mine64 is not None else other64
    scale = _largest(mine if truth is None else truth) or _largest(other) or 1.0
    apart64 = error_reference = error_against = None
    if mine64 is not None and other64 is not None:
        apart64 = _largest(_minus(mine64, other64)) / scale
        if apart64 * scale <= MEANING_FLOOR * wide:
            apart64 = 0.0
    scale = max(scale, wide)
    apart = _largest(_minus(mine, other)) / scale
    if truth is not None:
        error_reference = _largest(_minus(mine, mine64 if mine64 is not None else truth)) / scale
        error_against = _largest(_minus(other, other64 if other64 is not None else truth)) / scale
    why = _why(mine, other, apart, apart64, error_reference, error_against, rule)
    return Finding(kind, index, label, apart, apart64, error_reference, error_against, why)


def _why(
    mine: Array,
    other: Array,
    apart: float,
    apart64: float | None,
    error_reference: float | None,
    error_against: float | None,
    rule: Rule,
) -> str:
    """Return why two arrays part, or nothing."""
    if rule.by_tolerance:
        return _outside(mine, other, rule)
    if not np.array_equal(np.isfinite(mine), np.isfinite(other)):
        return "one side is not finite where the other is"
    if apart64 is not None and apart64 > MEANING:
        return f"means something else: {apart64:.1e} apart in float64 too"
    if apart <= FLOOR:
        return ""
    if error_reference is None or error_against is None:
        return (
            f"differs by {apart:.1e}, and no float64 tells why" if apart > WITHOUT_FLOAT64 else ""
        )
    worse, better = sorted((error_reference, error_against), reverse=True)
    if worse > FACTOR * max(better, FLOOR):
        who = "the reference" if error_reference == worse else "the other"
        return f"{who} is {worse:.1e} off float64, the peer {better:.1e}"
    return ""


def _outside(mine: Array, other: Array, rule: Rule) -> str:
    rtol, atol = rule.rtol or 0.0, rule.atol or 0.0
    close = np.isclose(other, mine, rtol=rtol, atol=atol, equal_nan=True)
    if np.all(close):
        return ""
    return f"{int(np.sum(~close))} of {close.size} outside rtol {rtol:g}, atol {atol:g}"


def _passed(
    reference: Mapping[str, Stored], against: Mapping[str, Stored], key: str
) -> float | None:
    """Return how far the first outputs differ where each side goes through its own net."""
    name = f"{key}/passed/0"
    if name not in reference or name not in against:
        return None
    try:
        mine, other = reference[name].load(), against[name].load()
    except KerasReproError:
        return None
    if mine.shape != other.shape:
        return None
    return _largest(_minus(mine, other)) / (_largest(mine) or 1.0)


def _of_shape(arrays: Mapping[str, Stored], key: str, shape: tuple[int, ...]) -> Array | None:
    """Return an array, None where there is none or it has another shape."""
    array = arrays[key].load() if key in arrays else None
    return array if array is not None and array.shape == shape else None


def _minus(mine: Array, other: Array) -> Array:
    with np.errstate(all="ignore"):
        apart = mine.astype(float) - other.astype(float)
    return np.where(np.isfinite(apart), apart, 0.0)


def _largest(array: Array) -> float:
    """Return the largest finite absolute value, 0 where there is none."""
    with np.errstate(all="ignore"):
        values = np.abs(array.astype(float))
    values = values[np.isfinite(values)]
    return float(values.max()) if values.size else 0.0
