"""The JSON that ``--format json`` prints, and the schemas that are published of all documents."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from keras_repro.errors import ExitCode, gravest
from keras_repro.runs.array_verdict import array_verdict
from keras_repro.runs.baselines import BaselineFacts
from keras_repro.runs.ensemble import EnsembleFacts
from keras_repro.runs.published import (
    VERSION,
    BackendVerdicts,
    CalibrateDocument,
    CheckDocument,
    ChecksDocument,
    CompareDocument,
    EquivalentDocument,
    EquivalentsDocument,
    FirstLinkDocument,
    VaryDocument,
    VerifyDocument,
    cause_document,
)
from keras_repro.runs.run import RunFacts
from keras_repro.studies.check import Checked
from keras_repro.studies.compare_folders import Compared
from keras_repro.studies.first_link.found import Traced

SCHEMAS: dict[str, type[BaseModel]] = {
    "check": CheckDocument,
    "checks": ChecksDocument,
    "compare": CompareDocument,
    "calibrate": CalibrateDocument,
    "equivalent": EquivalentDocument,
    "equivalents": EquivalentsDocument,
    "vary": VaryDocument,
    "verify": VerifyDocument,
    "run": RunFacts,
    "baseline": BaselineFacts,
    "ensemble": EnsembleFacts,
}
FOLDER = Path(__file__).parents[1] / "runs" / "schemas"


def checks_document(checked: list[tuple[str, list[Checked]]], exit_code: ExitCode) -> str:
    """Return the verdicts of a check as a JSON document: of one workload, or of several."""
    documents = [_check_document(workload, results) for workload, results in checked]
    if len(documents) == 1:
        return _text(documents[0])
    return _text(
        ChecksDocument(schema_version=VERSION, exit_code=int(exit_code), workloads=documents)
    )


def _check_document(workload: str, results: list[Checked]) -> CheckDocument:
    backends = [
        BackendVerdicts(
            backend=result.backend.name,
            exit_code=int(result.exit_code),
            problem=result.problem or None,
            note=result.note or None,
            causes=[cause_document(cause) for cause in result.causes or []],
            arrays=[array_verdict(comparison) for comparison in result.comparisons],
            **_trace(result.trace),
        )
        for result in results
    ]
    code = gravest([result.exit_code for result in results])
    return CheckDocument(
        schema_version=VERSION, workload=workload, exit_code=int(code), backends=backends
    )


def compare_document(result: Compared) -> str:
    """Return the verdicts on two runs as a JSON document."""
    return _text(
        CompareDocument(
            schema_version=VERSION,
            expected=str(result.expected),
            obtained=str(result.obtained),
            exit_code=int(result.exit_code),
            causes=[cause_document(cause) for cause in result.causes],
            arrays=[array_verdict(comparison) for comparison in result.comparisons],
            **_trace(result.trace),
        )
    )


def _trace(trace: Traced | None) -> dict[str, Any]:
    """Return the fields that tell of the trails; none without them."""
    if trace is None or not trace.chain:
        return {}
    found: dict[str, Any] = {"trail": {one.name: str(one.state) for one in trace.chain}}
    if trace.first is not None:
        first = asdict(trace.first)
        found["first_link"] = FirstLinkDocument(
            **{**first, "explanations": list(trace.first.explanations)}
        )
    return found


def schema(name: str) -> str:
    """Return a document's JSON Schema (draft 2020-12), as it is published in ``schemas/``."""
    document: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SCHEMAS[name].model_json_schema(mode="serialization"),
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def write_schemas() -> None:
    """Write every schema anew."""
    for name in SCHEMAS:
        (FOLDER / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")


def _text(document: BaseModel) -> str:
    whole = document.model_dump(mode="json")
    for one in _with_arrays(whole):
        for name in ("first_link", "trail"):
            if one[name] is None:  # without trails, the documents are as they were before
                del one[name]
    return json.dumps(whole, indent=2, allow_nan=False)


def _with_arrays(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a document that have verdicts on arrays."""
    if "arrays" in document:
        return [document]
    inner = [*document.get("workloads", ()), *document.get("backends", ())]
    return [part for one in inner for part in _with_arrays(one)]
