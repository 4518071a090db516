"""Judge what is not in the first batch: the first step, and the costs and results of whole runs.

The costs begin from the same weights, so the first agree as the loss does; then rounding grows, in
some nets by a factor in each step, until it is as large as the costs. But it grows steadily. So the
costs part at a step where they are ``JUMP`` times further apart than at any step before, and by
more than ``ROUNDING`` would be that grows by ``GROWTH`` in every step, if that is from
``LEAST_OF_A_STEP`` to ``MOST_OF_A_STEP``: a slow drift, however far it gets, is never taken for a
difference of meaning. Predictions and tests after training are compared only by ``AFTER_TRAINING``,
or ``GROWN`` times what the costs grew apart, whichever is more; weights are not, since those that
do not matter for the cost wander as rounding has it. Costs are relative to the largest until then.
"""

import math

import numpy as np

from keras_repro.numbers.differences import Array
from keras_repro.recorder import contract
from keras_repro.runs.run import Run
from keras_repro.studies.parity.arrays import largest, minus
from keras_repro.studies.parity.bounds import JUMP, WITHOUT_TRAINING, in_half
from keras_repro.studies.parity.findings import ModelParity, Rule

OPTIMIZER = 1e-4  # of the cost after one step
ROUNDING, GROWTH = 1e-6, 4.0  # of the costs
LEAST_OF_A_STEP, MOST_OF_A_STEP = 1e-4, 1e-2
AFTER_TRAINING, GROWN = 0.1, 1000.0


def optimizer_apart(reference: Run, run: Run, models: list[ModelParity]) -> float | None:
    """Return how far costs are apart after a first step, None where no model's part there.

    Raises:
        UnreadableError: an array of a run is damaged.
    """
    for model in models:
        pair = _costs(reference, run, model.prefix)
        apart = None if pair is None else optimizer_parts(*pair)
        if apart is not None and apart > in_half(OPTIMIZER, model.ulps):
            return apart
    return None


def later_parts(reference: Run, run: Run, models: list[ModelParity], rule: Rule) -> str:
    """Return what parts in the whole runs, of models that agree in the first batch, or nothing.

    The earliest in a model's costs; where those agree, what it was tested with or predicted.

    Raises:
        UnreadableError: an array of a run is damaged.
    """
    least = max(rule.rtol or 0.0, rule.atol or 0.0)
    grown: float | None = None
    for model in models:
        pair = _costs(reference, run, model.prefix)
        if pair is None:
            continue
        apart = costs_apart(*pair)
        step = costs_part(apart, model.ulps, least)
        if step is not None:
            return f"the costs{_of(model, models)} part from step {step} on by {apart[step]:.1e}"
        grown = max(grown or 0.0, float(apart.max(initial=0.0)))
    for model in models:
        for kind, words in (
            (contract.TEST_COSTS, "test costs"),
            (contract.Kind.PREDICTION.value, "predictions"),
        ):
            for name in reference.arrays:
                if not f"{name}/".startswith(f"{model.prefix}{kind}/") or name not in run.arrays:
                    continue
                mine, other = reference.arrays[name].load(), run.arrays[name].load()
                why = results_part(mine, other, grown, model.ulps, least)
                if why:
                    which = name.removeprefix(model.prefix).removeprefix(kind).strip("/")
                    return f"the {words}{_of(model, models)} {f'({which}) ' * bool(which)}{why}"
    return ""


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
    apart = largest(minus(mine, other)) / (largest(mine) or 1.0)
    return f"differ by {apart:.1e}" if apart > max(bound, least) else ""


def _costs(reference: Run, run: Run, prefix: str) -> tuple[Array, Array] | None:
    """Return the costs of a model's training on both sides, None where there are none."""
    name = prefix + contract.TRAIN_COSTS
    if name not in reference.arrays or name not in run.arrays:
        return None
    mine, other = reference.arrays[name], run.arrays[name]
    if mine.dtype.kind != "f" or other.dtype.kind != "f":
        return None
    return np.asarray(mine.load()), np.asarray(other.load())


def _of(model: ModelParity, models: list[ModelParity]) -> str:
    return f" of {model.name}" if len(models) > 1 else ""
