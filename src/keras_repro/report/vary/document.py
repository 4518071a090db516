"""What the numbers depend on, as JSON."""

import json
from typing import Any

from keras_repro.runs.array_verdict import array_verdict
from keras_repro.runs.published import VERSION, VariationDocument, VaryDocument
from keras_repro.studies.vary.found import Result, Varied


def document(result: Result) -> str:
    """Return it as a JSON document."""
    whole = VaryDocument(
        schema_version=VERSION,
        workload=result.place.workload,
        backend=result.backend.name,
        exit_code=int(result.exit_code),
        base=result.base.folder.name,
        tolerances=result.tolerances,
        variations=[_variation(result, one) for one in result.varied],
    )
    return json.dumps(whole.model_dump(mode="json"), indent=2, allow_nan=False)


def _variation(result: Result, varied: Varied) -> VariationDocument:
    trace = varied.trace
    return VariationDocument(
        name=varied.variation.name,
        factor=varied.variation.factor,
        changes=_changes(result, varied),
        result=varied.state.value,
        problem=varied.problem or None,
        run=None if varied.run is None else varied.run.folder.name,
        known=varied.known,
        seconds=varied.seconds,
        moved=[one.name for one in varied.moved],
        first_step=None if varied.first is None else varied.first.first_step,
        first_link=None if trace is None or trace.first is None else str(trace.first),
        arrays=[array_verdict(one) for one in varied.comparisons],
    )


def _changes(result: Result, varied: Varied) -> dict[str, Any]:
    """Return the values that are others; of the environment no variable of the user's own."""
    found = dict(varied.variation.changes)
    if "environment" in found:
        before = result.place.of.conditions.environment
        now = found["environment"].items()
        found["environment"] = {name: value for name, value in now if before.get(name) != value}
    return found
