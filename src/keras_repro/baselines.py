"""Read and accept baselines: runs that somebody accepted, with the reason why."""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from keras_repro.backends import Tolerances
from keras_repro.compare import EXACT, Tolerance
from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.recorder import layout
from keras_repro.recorder.facts import file_sha256
from keras_repro.recorder.folder import replace_folder
from keras_repro.runs import ArrayFacts, Arrays, Run, read_arrays, read_document, widen

FACTS = "baseline.json"
OWN_ENTRIES = (FACTS, layout.ARRAYS)
# Of a run's facts, those that say where its numbers come from.
KEPT_FACTS = (
    "script",
    "script_args",
    "script_sha256",
    "seed",
    "threads",
    "backend",
    "engine",
    "image",
    "requirements_sha256",
    "keras",
    "python",
    "os",
    "machine",
    "cpu",
    "packages",
    "environment",
    "determinism",
)


class BaselineFacts(BaseModel):
    """``baseline.json``."""

    model_config = ConfigDict(extra="allow")

    schema_version: int
    workload: str
    backend: str
    reason: str
    accepted: str
    script_sha256: str | None
    seed: int
    tolerances: dict[str, Tolerances]
    arrays: dict[str, ArrayFacts]
    arrays_sha256: str


@dataclass(frozen=True)
class Baseline:
    """An accepted run. ``edited`` says that its arrays are not those that were accepted."""

    folder: Path
    facts: BaselineFacts
    arrays: Arrays
    edited: bool

    def tolerance_of(self, name: str) -> Tolerance:
        """Return the tolerance of the first pattern that matches; none means exact."""
        return tolerance_of(name, self.facts.tolerances)


def tolerance_of(name: str, tolerances: dict[str, Tolerances]) -> Tolerance:
    """Return the tolerance of the first pattern that ``name`` matches, else exact."""
    for pattern, tolerance in tolerances.items():
        if fnmatchcase(name, pattern):
            return tolerance.as_tolerance()
    return EXACT


def baseline_folder(baselines: Path, workload: str, backend: str) -> Path:
    """Return where the baseline of a workload on a backend lies."""
    return baselines / workload / backend


def read_facts(folder: Path) -> BaselineFacts:
    """Return the facts of the baseline in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: they are damaged, or of a newer schema than this keras-repro reads.
    """
    path = folder / FACTS
    if not path.is_file():
        raise MissingError(f"no baseline in {folder}")
    return BaselineFacts.model_validate(read_document(path, BaselineFacts))


def read_baseline(folder: Path) -> Baseline:
    """Return the baseline in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: it is damaged, or of a newer schema than this keras-repro reads.
    """
    facts = read_facts(folder)
    arrays = widen(read_arrays(folder / layout.ARRAYS), facts.arrays)
    edited = file_sha256(str(folder / layout.ARRAYS)) != facts.arrays_sha256
    return Baseline(folder, facts, arrays, edited)


def write_baseline(
    folder: Path, run: Run, workload: str, reason: str, tolerances: dict[str, Tolerances]
) -> None:
    """Make a completed run the baseline in ``folder``, in one step.

    Raises:
        CannotWriteError: the folder cannot be written.
        UnreadableError: the run's arrays are not those that it wrote.
        What was there stands as it was.
    """
    facts: dict[str, Any] = run.facts.model_dump(mode="json", include=set(KEPT_FACTS))
    facts |= {
        "schema_version": layout.SCHEMA_VERSION,
        "workload": workload,
        "reason": reason,
        "accepted": datetime.now(UTC).isoformat(timespec="seconds"),
        "tolerances": {name: value.model_dump() for name, value in tolerances.items()},
        "arrays": run.facts.model_dump(mode="json")["arrays"],
    }
    staging = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        copy = shutil.copyfile(run.folder / layout.ARRAYS, staging / layout.ARRAYS)
        facts["arrays_sha256"] = file_sha256(str(copy))
        if facts["arrays_sha256"] != run.facts.arrays_sha256:
            raise UnreadableError(
                f"{run.folder / layout.ARRAYS} is not what the run wrote: edited, or replaced by "
                "another training meanwhile; train again, and look before you accept"
            )
        document = json.dumps(facts, indent=2, sort_keys=True) + "\n"
        (staging / FACTS).write_text(document, encoding="utf-8")
        for path in staging.iterdir():
            _to_disk(path)
        replace_folder(str(staging), str(folder), OWN_ENTRIES)
    except OSError as error:
        raise CannotWriteError(
            f"cannot write the baseline {folder}: {error.strerror or error}; "
            "what was there is untouched"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
