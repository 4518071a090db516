"""Judge whether two runs compute the same in each layer, from what the recorder kept of both.

Why the bounds are as they are stands in ``bounds``, and for what comes after the first batch in
``trajectory``.
"""

from collections.abc import Iterator, Mapping

from keras_repro.studies.parity import bounds
from keras_repro.studies.parity.arrays import (
    Arrays,
    compared,
    gradient_compared,
    largest,
    loaded,
    passed_apart,
)
from keras_repro.studies.parity.bounds import BETWEEN, WHOLE_GRADIENT, WITHOUT_TRAINING, in_half
from keras_repro.studies.parity.findings import (
    KINDS,
    Another,
    Apart,
    Finding,
    LayerParity,
    ModelParity,
    Rule,
)
from keras_repro.studies.parity.recorded import (
    ArrayFacts,
    CallFacts,
    ModelFacts,
    Side,
    numbers_after,
)


def judge(
    reference: Side,
    against: Side,
    rule: Rule = Rule(),  # noqa: B008 - it is frozen
) -> list[ModelParity]:
    """Return how the models of two runs compare, layer by layer, in the order of their use.

    Raises:
        UnreadableError: an array is damaged.
    """
    theirs = {model.prefix: model for model in against.facts.models}
    known = {model.prefix for model in reference.facts.models}
    generations = {str(side.facts.keras)[:2] for side in (reference, against)}
    found = []
    for model in reference.facts.models:
        other = theirs.get(model.prefix)
        if other is None:
            found.append(_alone(model, "the other backend's run does not use this model"))
        else:
            masks = len(generations) == 1  # else they hand masks on by other ways
            found.append(_model(reference.arrays, against.arrays, model, other, rule, masks))
    problem = "the reference's run does not use this model"
    return found + [_alone(theirs[prefix], problem) for prefix in theirs if prefix not in known]


def _alone(model: ModelFacts, problem: str) -> ModelParity:
    return ModelParity(model.name, model.prefix, model.method, [], None, [], problem)


def _model(
    reference: Arrays,
    against: Arrays,
    model: ModelFacts,
    theirs: ModelFacts,
    rule: Rule,
    masks: bool,
) -> ModelParity:
    prefix = model.prefix
    calls = {call.key: call for call in theirs.calls}
    layers = [_layer(reference, against, call, calls.get(call.key), rule) for call in model.calls]
    known = {call.key for call in model.calls}
    more = [key for key in calls if key not in known]
    problem = ""
    if more:
        names = ", ".join(key.partition("layers/")[2].rpartition("/")[0] for key in more)
        problem = f"the other backend also calls {names}"
    ulps = max((bounds.ulps(call.dtype) for call in model.calls), default=1.0)
    loss, gradients = None, []
    if not _other_batch(theirs.loss.batch):
        if f"{prefix}loss" in reference and f"{prefix}loss" in against:
            key = f"{prefix}loss"
            loss = compared("loss", 0, "loss", reference, against, key, rule, ulps=ulps)
        gradients = list(_gradients(reference, against, prefix, rule, ulps))
    own = _own_weights(theirs)
    return ModelParity(
        *(model.name, prefix, model.method, layers, loss, gradients, problem),
        misfits=list(theirs.misfits),
        between=list(
            _between(reference, against, model, layers, calls if masks else {}, rule, ulps)
        ),
        notes=_notes(model, theirs, own),
        own_weights=bool(own),
        ulps=ulps,
        other_batch=_other_batch(theirs.batch),
    )


def _other_batch(batch: list[ArrayFacts]) -> str:
    """Return why a first batch is not the reference's, or nothing."""
    for array in batch:
        if array.missing:
            return "the first batch has more parts than the reference's"
        if not bounds.near(array):
            return (
                f"the first batch ({array.key}) is not the reference's: the script makes other "
                "data on this backend; make them before the model, from a generator of their own"
            )
    return ""


def _own_weights(theirs: ModelFacts) -> list[str]:
    """Return the places of the layers that went on from other weights than the reference's."""
    return [
        layer.place for layer in theirs.changed if not all(bounds.near(a) for a in layer.weights)
    ]


def _notes(model: ModelFacts, theirs: ModelFacts, own: list[str]) -> list[str]:
    notes = []
    for side, problem in (
        ("the reference", model.loss.problem),
        ("the other", theirs.loss.problem or _other_batch(theirs.loss.batch)),
    ):
        if problem:
            notes.append(f"the loss could not be compared: on {side}: {problem}")
    if own:
        notes.append(
            f"before a method of the model was first used, the script had trained or loaded "
            f"{', '.join(own[:3])}{' and more' if len(own) > 3 else ''}: each side went on "
            "from its own weights, which are not the same"
        )
    return notes


def _between(
    reference: Arrays,
    against: Arrays,
    model: ModelFacts,
    layers: list[LayerParity],
    theirs: Mapping[str, CallFacts],
    rule: Rule,
    ulps: float,
) -> Iterator[Finding]:
    """Yield the first that parts in a model and in no layer: between two, or after the last.

    ``theirs`` are the other side's calls where their masks are to be the same.
    """
    if rule.by_tolerance:
        return
    bound = in_half(BETWEEN, ulps)
    before: Apart = 0.0
    for call, layer in zip(model.calls, layers, strict=True):
        if call.phase == "training":  # what it is given has come another way
            continue
        if call.key in theirs and theirs[call.key].other_mask:
            yield Finding("between", 0, f"the mask of {layer.place}", why="is another one")
            return
        if layer.arrived is not None and bounds.jumped(layer.arrived, bound, before):
            why = f"is {far(layer.arrived)} where it arrives, though what was passed on agrees"
            yield Finding("between", 0, f"the input of {layer.place}", layer.arrived, why=why)
            return
        before = bounds.further(bounds.further(before, layer.passed), layer.arrived)
    apart = passed_apart(reference, against, f"{model.prefix}output/")
    if apart is not None and bounds.jumped(apart, bound, before):
        why = f"is {far(apart)}, though what its layers pass on agrees"
        yield Finding("between", 0, "the model's output", apart, why=why)


def far(apart: Apart) -> str:
    """Return in words how far arrays are apart."""
    return f"of {apart.value}" if isinstance(apart, Another) else f"{apart:.1e} apart"


def _gradients(
    reference: Arrays, against: Arrays, prefix: str, rule: Rule, ulps: float
) -> Iterator[Finding]:
    """Yield the gradients of the whole model: relative to the largest of them all.

    A gradient that is nothing but rounding, as of a bias before a normalisation, is no difference.
    """
    start = f"{prefix}gradients/"
    names = [name for name in reference if name.startswith(start) and name in against]
    pairs = [(name, loaded(reference, name), loaded(against, name)) for name in names]
    scale = max((largest(mine) for _, mine, _ in pairs), default=0.0) or 1.0
    bound = in_half(WHOLE_GRADIENT, ulps)
    for name, mine, other in pairs:
        label = f"gradient of {name.removeprefix(start)}"
        yield gradient_compared(label, mine, other, scale, bound, rule)


def _layer(
    reference: Arrays,
    against: Arrays,
    call: CallFacts,
    theirs: CallFacts | None,
    rule: Rule,
) -> LayerParity:
    sides = (
        {"the reference": call} if theirs is None else {"the reference": call, "the other": theirs}
    )
    problem = next((facts.problem for facts in sides.values() if facts.problem), "")
    findings: list[Finding] = []
    passed = passed_apart(reference, against, f"{call.key}/passed/")
    arrived = None if theirs is None else theirs.arrived
    if theirs is None:
        findings.append(Finding("missing", 0, "", why="the other backend does not call it"))
    elif not problem:
        excused = bool(call.no_gradients or theirs.no_gradients)
        findings += _findings(reference, against, call, rule, excused)
    unlike = [
        f"alone it does not compute on {side} what it does in the model: {far(facts.alone)}"
        for side, facts in sides.items()
        if facts.alone is not None and not bounds.as_in_the_model(facts.alone, facts.dtype)
    ]
    if not problem and unlike and not any(finding.parts for finding in findings):
        problem = unlike[0]
    if problem and not rule.by_tolerance and arrived is not None and passed is not None:
        bound = in_half(WITHOUT_TRAINING, bounds.ulps(call.dtype))
        if bounds.jumped(passed, bound, arrived):
            why = f"is {far(passed)}, though its input is not"
            findings.append(Finding("passed", 0, "its output in the model", passed, why=why))
    notes = [
        f"no {what} on {side}: {why}"
        for what in ("float64", "gradients")
        for side, facts in sides.items()
        if (why := facts.no_float64 if what == "float64" else facts.no_gradients)
    ]
    return LayerParity(
        key=call.key,
        place=call.place + ("" if call.call == 1 else f" (call {call.call})"),
        name=call.name,
        class_name=call.class_name,
        module=call.module,
        config=call.config,
        config_against=None if theirs is None else theirs.config,
        findings=findings,
        problem=problem,
        passed=passed,
        notes=notes + unlike,
        arrived=arrived,
        arguments=call.arguments,
        takes_training=call.takes_training,
        flipped=call.flipped,
        compiled=call.compiled or (theirs is not None and theirs.compiled),
    )


def _findings(
    reference: Arrays, against: Arrays, call: CallFacts, rule: Rule, excused: bool
) -> Iterator[Finding]:
    for kind, words in KINDS.items():
        start = f"{call.key}/{kind}/"
        wide = [largest(loaded(reference, name)) for name in reference if name.startswith(start)]
        scale = max(wide, default=0.0) if kind.endswith("gradient") else 0.0
        for index in sorted({*numbers_after(reference, start), *numbers_after(against, start)}):
            label = words if kind in ("inference", "training") else f"{words} {index}"
            if kind == "weight_gradient" and index < len(call.trainable):
                label = f"{words} {call.trainable[index]}"
            elif index and kind in ("inference", "training"):
                label = f"{words}, part {index}"
            key, ulps = f"{start}{index}", bounds.ulps(call.dtype)
            yield compared(kind, index, label, reference, against, key, rule, scale, excused, ulps)
