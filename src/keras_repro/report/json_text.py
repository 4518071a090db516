"""The JSON that ``--format json`` prints, and the schemas that are published of all documents."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from keras_repro.errors import ExitCode, gravest
from keras_repro.runs.baselines import BaselineFacts
from keras_repro.runs.published import (
    VERSION,
    BackendVerdicts,
    CheckDocument,
    ChecksDocument,
    CompareDocument,
    VerifyDocument,
    array_verdict,
    cause_document,
)
from keras_repro.runs.run import RunFacts
from keras_repro.studies.check import Checked
from keras_repro.studies.compare_folders import Compared

SCHEMAS: dict[str, type[BaseModel]] = {
    "check": CheckDocument,
    "checks": ChecksDocument,
    "compare": CompareDocument,
    "verify": VerifyDocument,
    "run": RunFacts,
    "baseline": BaselineFacts,
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
        )
    )


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
    return json.dumps(document.model_dump(mode="json"), indent=2, allow_nan=False)
