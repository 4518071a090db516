"""Judge whether two runs compute the same in each layer, from what the recorder kept of both.

A layer was computed alone, on both sides, from the same weights and the same inputs, in float32
and in float64. It parts where

- the two float64 computations differ by more than ``MEANING`` of the largest value: rounding in
  float64 is a hundred million times smaller, so the two mean something else; or
- the float32 error of one side, against float64, is more than ``FACTOR`` times the other's, and
  than ``FLOOR``: the rule by which PyTorch's compiler tests tell a wrong kernel from rounding
  (``torch._dynamo.utils.same``: an error against a float64 reference, a multiple of the error of
  the eager float32 computation). Each side's error is taken against its own float64.

Where a layer cannot be computed in float64, or computes in float32 whatever it is told (on both
sides its float64 values are its float32 values, bit for bit), it parts where the float32 values
differ by more than ``WITHOUT_FLOAT64``. All are relative to the largest absolute value of the array
in float64; the float32 errors of a layer's gradients to the largest of them all, since a sum of
terms that cancel is as uncertain as its terms are large. A layer that computes in 16 bits rounds as
much more as its numbers are shorter; that much it is allowed, up to ``MOST_IN_HALF``.

What is in no layer shows in the model: each side keeps what arrives at a layer in its own net, and
what it passes on. Where something arrives ``JUMP`` times further apart than all that was passed on
before, and by more than ``BETWEEN``, the operations between the layers are others.

What is not in the first batch shows in the costs. They begin from the same weights, so the first
agree as the loss does; then rounding grows, in some nets by a factor in each step, until it is as
large as the costs. But it grows steadily. So the costs part at a step where they are ``JUMP`` times
further apart than at any step before, and by more than ``ROUNDING`` would be that grows by
``GROWTH`` in every step, if that is from ``LEAST_OF_A_STEP`` to ``MOST_OF_A_STEP``: a slow drift,
however far it gets, is never taken for a difference of meaning.
Predictions and tests after training are compared only by ``AFTER_TRAINING``, or ``GROWN`` times
what the costs grew apart, whichever is more; weights are not, since those that do not matter for
the cost wander as rounding has it. Costs are relative to the largest until then.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_repro.errors import KerasReproError, UnreadableError
from keras_repro.numbers.differences import Array
from keras_repro.recorder import contract
from keras_repro.runs.npz import Npz, Stored

MEANING = 1e-6
FACTOR = 10.0
MEANING_FLOOR = 1e-7  # of a layer's largest gradient: no float32 tells less from nothing
FLOOR = 3e-6  # 25 ulps of float32: what sums of some hundred terms, in another order, give
WITHOUT_FLOAT64 = FACTOR * FLOOR
WHOLE_GRADIENT = 1e-4  # of the largest gradient of a model
OPTIMIZER = 1e-4  # of the cost after one step
JUMP = 100.0
BETWEEN = 1e-4
ROUNDING, GROWTH = 1e-6, 4.0  # of the costs
LEAST_OF_A_STEP, MOST_OF_A_STEP = 1e-4, 1e-2
WITHOUT_TRAINING = 1e-3  # of predictions and tests, from weights and data that agree
AFTER_TRAINING, GROWN = 0.1, 1000.0
MOST_IN_HALF = 0.1  # of what a whole model computes in 16 bits
ULPS = {"float16": 2.0**13, "bfloat16": 2.0**16}  # of float32, in one of theirs

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

    @property
    def text(self) -> str:
        """What parts, and why, in a sentence without its end."""
        return f"{self.label} {self.why}".strip()


@dataclass(frozen=True)
class LayerParity:
    """One call of a layer. ``problem`` is why it could not be compared, empty where it could.

    ``passed`` is how far the two sides' outputs differ when each goes through its own net, and
    ``arrived`` how far what the layer is given there; ``arguments`` is how its call is written.
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
    arrived: float | None = None
    arguments: str = ""
    takes_training: bool = False

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
    not go on from the same weights; ``ulps`` is how many float32's there are in one of its own.
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
        facts = json.loads((folder / contract.PARITY_FACTS).read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not isinstance(facts["models"], list):
            raise TypeError
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UnreadableError(
            f"{folder / contract.PARITY_FACTS} is damaged: {type(error).__name__}; run parity again"
        ) from None
    return Side(folder, facts, Npz(folder / contract.PARITY, {}, "run parity again"))


def judge(reference: Side, against: Side, rule: Rule = Rule()) -> list[ModelParity]:
    """Return how the models of two runs compare, layer by layer, in the order of their use."""
    theirs = {model["prefix"]: model for model in against.facts["models"]}
    generations = {str(side.facts.get("keras"))[:2] for side in (reference, against)}
    found = [
        _model(
            reference.arrays,
            against.arrays,
            model,
            theirs.get(model["prefix"]),
            rule,
            len(generations) == 1,
        )
        for model in reference.facts["models"]
    ]
    known = {model["prefix"] for model in reference.facts["models"]}
    problem = "the reference's run does not use this model"
    return found + [
        ModelParity(model["model"], prefix, model["method"], [], None, [], problem)
        for prefix, model in theirs.items()
        if prefix not in known
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


def costs_apart(reference: Array, against: Array) -> Array:
    """Return how far two series of costs are apart, of the largest cost until then.

    Up to the first step that one of them lacks, or at which one is no number.
    """
    steps = min(reference.size, against.size)
    mine, other = (side[:steps].astype(float).ravel() for side in (reference, against))
    finite = np.isfinite(mine) & np.isfinite(other)
    steps = steps if finite.all() else int(np.argmin(finite))
    mine, other = mine[:steps], other[:steps]
    largest = np.maximum.accumulate(np.maximum(np.abs(mine), np.abs(other)))
    return np.asarray(np.abs(mine - other) / np.where(largest > 0, largest, 1.0))


def costs_part(apart: Array, ulps: float = 1.0, least: float = 0.0) -> int | None:
    """Return the step from which costs part by more than rounding grows to, None where none is.

    ``apart`` is what ``costs_apart`` returns; ``least`` is allowed in any case.
    """
    before = 0.0
    for step, value in enumerate(apart.tolist()):
        grown = min(max(ROUNDING * GROWTH ** min(step, 60), LEAST_OF_A_STEP), MOST_OF_A_STEP)
        if value > max(in_half(grown, ulps), JUMP * before, least):
            return step
        before = max(before, value)
    return None


def results_part(
    mine: Array, other: Array, grown: float | None, ulps: float = 1.0, least: float = 0.0
) -> str:
    """Return why what a model predicted, or was tested with, parts, or nothing.

    ``grown`` is how far apart the costs were at most; None where the script did not train.
    """
    if mine.shape != other.shape:
        return f"have shape {mine.shape} and {other.shape}"
    if mine.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        return ""
    bound = in_half(WITHOUT_TRAINING, ulps) if grown is None else max(AFTER_TRAINING, GROWN * grown)
    apart = _largest(_minus(mine, other)) / (_largest(mine) or 1.0)
    return f"differ by {apart:.1e}" if apart > max(bound, least) else ""


def in_half(bound: float, ulps: float) -> float:
    """Return a bound for what a whole model computes, as wide as its numbers are short."""
    return max(bound, min(bound * ulps, MOST_IN_HALF))


def _ulps(call: dict[str, Any]) -> float:
    return ULPS.get(str(call.get("dtype")), 1.0)


def _model(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    model: dict[str, Any],
    theirs: dict[str, Any] | None,
    rule: Rule,
    of_one_generation: bool,
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
    problem = ""
    if more:
        names = ", ".join(key.partition("layers/")[2].rpartition("/")[0] for key in more)
        problem = f"the other backend also calls {names}"
    ulps = max((_ulps(call) for call in model["calls"]), default=1.0)
    loss = None
    if f"{prefix}loss" in reference and f"{prefix}loss" in against:
        loss = _compared("loss", 0, "loss", reference, against, f"{prefix}loss", rule, ulps=ulps)
    masks = calls if of_one_generation else {}
    return ModelParity(
        *(model["model"], prefix, model["method"], layers, loss),
        list(_gradients(reference, against, prefix, rule, ulps)),
        problem,
        misfits=[str(text) for text in theirs.get("misfits", [])],
        between=list(_between(reference, against, model, layers, masks, rule, ulps)),
        notes=_notes(model, theirs),
        own_weights=bool(theirs.get("kept_own")),
        ulps=ulps,
    )


def _notes(model: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    notes = []
    for side, facts in (("the reference", model), ("the other", theirs)):
        problem = (facts.get("loss") or {}).get("problem")
        if problem:
            notes.append(f"the loss could not be compared: on {side}: {problem}")
    places = [str(place) for place in theirs.get("kept_own", [])]
    if places:
        notes.append(
            f"before a method of the model was first used, the script had trained or loaded "
            f"{', '.join(places[:3])}{' and more' if len(places) > 3 else ''}: each side went on "
            "from its own weights, which are not the same"
        )
    return notes


def _between(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    model: dict[str, Any],
    layers: list[LayerParity],
    masks: Mapping[str, dict[str, Any]],
    rule: Rule,
    ulps: float,
) -> Iterator[Finding]:
    """Yield the first that parts in a model and in no layer: between two, or after the last."""
    if rule.by_tolerance:
        return
    bound = in_half(BETWEEN, ulps)
    before = 0.0
    for call, layer in zip(model["calls"], layers, strict=True):
        if call.get("phase") == "training":  # what it is given has come another way
            continue
        if masks.get(call["key"], {}).get("other_mask"):
            yield Finding("between", 0, f"the mask of {layer.place}", why="is another one")
            return
        if layer.arrived is not None and layer.arrived > max(bound, JUMP * before):
            why = f"is {_far(layer.arrived)} where it arrives, though what was passed on agrees"
            yield Finding("between", 0, f"the input of {layer.place}", layer.arrived, why=why)
            return
        before = max(before, layer.passed or 0.0, layer.arrived or 0.0)
    apart = _passed(reference, against, f"{model['prefix']}output/")
    if apart is not None and apart > max(bound, JUMP * before):
        why = f"is {_far(apart)}, though what its layers pass on agrees"
        yield Finding("between", 0, "the model's output", apart, why=why)


def _far(apart: float) -> str:
    return f"{apart:.1e} apart" if apart < 1e300 else "of another shape or kind"


def _gradients(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    prefix: str,
    rule: Rule,
    ulps: float,
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
        elif _other_kind(mine, other):
            why = _other_kind(mine, other)
        elif not apart <= in_half(WHOLE_GRADIENT, ulps):
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
    facts = {"the reference": call, "the other": theirs or {}}
    problem = str(call.get("problem") or (theirs or {}).get("problem") or "")
    excused = bool(call.get("no_gradients") or (theirs or {}).get("no_gradients"))
    findings: list[Finding] = []
    passed = _passed(reference, against, f"{key}/passed/")
    arrived = (theirs or {}).get("arrived")
    if theirs is None:
        findings.append(Finding("missing", 0, "", why="the other backend does not call it"))
    elif not problem:
        findings += _findings(reference, against, call, rule, excused)
    unlike = [
        f"alone it does not compute on {side} what it does in the model: {_far(of['unlike'])}"
        for side, of in facts.items()
        if "unlike" in of
    ]
    if not problem and unlike and not any(finding.parts for finding in findings):
        problem = unlike[0]
    if problem and not rule.by_tolerance and _jumps(arrived, passed, _ulps(call)):
        why = f"is {_far(passed or 0.0)}, though its input is not"
        findings.append(Finding("passed", 0, "its output in the model", passed, why=why))
    notes = [
        f"no {what} on {side}: {of[f'no_{what}']}"
        for what in ("float64", "gradients")
        for side, of in facts.items()
        if of.get(f"no_{what}")
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
        passed=passed,
        notes=notes + unlike,
        arrived=arrived,
        arguments=str(call.get("arguments", "")),
        takes_training=bool(call.get("takes_training")),
    )


def _jumps(arrived: float | None, passed: float | None, ulps: float) -> bool:
    """Whether a layer's outputs in the model are apart, and its inputs are not."""
    if arrived is None or passed is None:
        return False
    return passed > max(in_half(WITHOUT_TRAINING, ulps), JUMP * arrived)


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
            yield _compared(
                *(kind, index, label, reference, against, key, rule, scale, excused, _ulps(call))
            )


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
    ulps: float = 1.0,
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
    if _is_narrow(mine64, mine) and _is_narrow(other64, other):
        mine64 = other64 = None if not np.array_equal(mine, other) else mine64
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
    why = _why(mine, other, apart, apart64, error_reference, error_against, rule, ulps)
    return Finding(kind, index, label, apart, apart64, error_reference, error_against, why)


def _why(
    mine: Array,
    other: Array,
    apart: float,
    apart64: float | None,
    error_reference: float | None,
    error_against: float | None,
    rule: Rule,
    ulps: float,
) -> str:
    """Return why two arrays part, or nothing."""
    if rule.by_tolerance:
        return _outside(mine, other, rule)
    if _other_kind(mine, other):
        return _other_kind(mine, other)
    floor = FLOOR * ulps
    if apart64 is not None and apart64 > MEANING:
        return f"means something else: {apart64:.1e} apart in float64 too"
    if apart <= floor:
        return ""
    if error_reference is None or error_against is None:
        far = apart > in_half(WITHOUT_FLOAT64, ulps)
        return f"differs by {apart:.1e}, and no float64 tells why" if far else ""
    worse, better = sorted((error_reference, error_against), reverse=True)
    if worse > FACTOR * max(better, floor):
        who = "the reference" if error_reference == worse else "the other"
        return f"{who} is {worse:.1e} off float64, the peer {better:.1e}"
    return ""


def _other_kind(mine: Array, other: Array) -> str:
    """Return why two arrays part in what is no finite number, or nothing."""
    if mine.dtype.kind != "f" or other.dtype.kind != "f":
        return ""
    if not np.array_equal(np.isfinite(mine), np.isfinite(other)):
        return "one side is not finite where the other is"
    with np.errstate(all="ignore"):
        if np.array_equal(mine[~np.isfinite(mine)], other[~np.isfinite(other)], equal_nan=True):
            return ""
    return "is infinite with another sign, or no number, where the other is infinite"


def _outside(mine: Array, other: Array, rule: Rule) -> str:
    rtol, atol = rule.rtol or 0.0, rule.atol or 0.0
    close = np.isclose(other, mine, rtol=rtol, atol=atol, equal_nan=True)
    if np.all(close):
        return ""
    return f"{int(np.sum(~close))} of {close.size} outside rtol {rtol:g}, atol {atol:g}"


def _passed(
    reference: Mapping[str, Stored],
    against: Mapping[str, Stored],
    start: str,
) -> float | None:
    """Return how far outputs differ where each side goes through its own net, at most.

    In another shape or kind they are infinitely far, as ``recorder.parity`` has it.
    """
    found = []
    for name in reference:
        if not name.startswith(start) or name not in against:
            continue
        try:
            mine, other = reference[name].load(), against[name].load()
        except KerasReproError:
            continue
        if mine.shape != other.shape or _other_kind(mine, other):
            return 1e300
        found.append(_largest(_minus(mine, other)) / (_largest(mine) or 1.0))
    return max(found, default=None)


def _of_shape(arrays: Mapping[str, Stored], key: str, shape: tuple[int, ...]) -> Array | None:
    """Return an array, None where there is none or it has another shape."""
    array = arrays[key].load() if key in arrays else None
    return array if array is not None and array.shape == shape else None


def _is_narrow(wide: Array | None, narrow: Array) -> bool:
    """Whether a layer computed in float32 where it was to compute in float64: bit for bit."""
    if wide is None or narrow.dtype.kind != "f":
        return False
    return np.array_equal(wide, narrow.astype(float), equal_nan=True)


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
