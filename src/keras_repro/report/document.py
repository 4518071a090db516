"""The JSON that ``check --format json`` prints."""

import json
import math
from dataclasses import asdict
from typing import Any

from keras_repro.compare import Comparison
from keras_repro.errors import ExitCode
from keras_repro.studies.check import Checked

VERSION = 1


def check_document(workload: str, results: list[Checked], exit_code: ExitCode) -> str:
    """Return the verdicts as a JSON document. NaN and infinities are strings, as JSON has none."""
    document = {
        "schema_version": VERSION,
        "workload": workload,
        "exit_code": int(exit_code),
        "backends": [
            {
                "backend": result.backend.name,
                "exit_code": int(result.exit_code),
                "problem": result.problem or None,
                "note": result.note or None,
                "arrays": [_array(comparison) for comparison in result.comparisons],
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _array(comparison: Comparison) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(comparison).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
