"""Read a run folder."""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import layout

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


class KerasFacts(BaseModel):
    """The Keras that the script used."""

    model_config = ConfigDict(extra="allow")

    version: str | None = None
    backend: str | None = None


class ArrayFacts(BaseModel):
    """An array's dtype, by name, and its shape."""

    dtype: str
    shape: list[int]


class RunFacts(BaseModel):
    """``run.json``."""

    model_config = ConfigDict(extra="allow")

    schema_version: int
    outcome: str
    reason: str | None = None
    script: str
    script_args: list[str] = []
    script_sha256: str | None
    recorder_sha256: str | None = None
    seed: int
    threads: int
    backend: str | None
    engine: str | None = None
    image: str | None = None
    requirements_sha256: str | None = None
    started: str
    durations: dict[str, float]
    steps: int = 0
    keras: KerasFacts | None = None
    python: str
    os: str
    kernel: str
    machine: str
    cpu: dict[str, Any]
    packages: dict[str, str]
    environment: dict[str, str]
    determinism: dict[str, Any] = {}
    arrays: dict[str, ArrayFacts] = {}
    arrays_sha256: str | None = None

    @property
    def completed(self) -> bool:
        """Whether the run is a good one."""
        return self.outcome == layout.COMPLETED


@dataclass(frozen=True)
class Run:
    """A run folder and its facts; the arrays are read when they are asked for."""

    folder: Path
    facts: RunFacts

    @cached_property
    def arrays(self) -> Arrays:
        """The arrays by name. Raises UnreadableError."""
        return widen(read_arrays(self.folder / layout.ARRAYS), self.facts.arrays)


def run_folder(artifacts: Path, workload: str, backend: str) -> Path:
    """Return where the run of a workload on a backend lies."""
    return artifacts / workload / backend


def read_run(folder: Path) -> Run:
    """Return the completed or failed run in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: it is damaged, or of a newer schema than this keras-repro reads.
    """
    path = folder / layout.FACTS
    if not path.is_file():
        raise MissingError(f"no run in {folder}")
    return Run(folder, RunFacts.model_validate(read_document(path, RunFacts)))


def last_run(folder: Path) -> Run:
    """Return the last run made for ``folder``: the failed one beside it where there is one."""
    failed = Path(layout.failed_folder(str(folder)))
    return read_run(failed if (failed / layout.FACTS).is_file() else folder)


def read_document(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    """Return a JSON document, its schema version and its fields checked.

    Raises:
        UnreadableError: it is not JSON, of a newer schema, or lacks what ``model`` asks for.
    """
    try:
        document = json.loads(path.read_bytes())
        version = document["schema_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError(f"{path} is damaged: {type(error).__name__}; make it again") from None
    if not isinstance(version, int) or version > layout.SCHEMA_VERSION:
        raise UnreadableError(
            f"{path} has schema version {version!r}, and this keras-repro reads up to "
            f"{layout.SCHEMA_VERSION}; use a newer keras-repro"
        )
    try:
        model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UnreadableError(f"{path} is damaged: {where}: {first['msg']}") from None
    return dict(document)


def read_arrays(path: Path) -> Arrays:
    """Return the arrays of an npz by name. Nothing is unpickled.

    Raises:
        UnreadableError: the file is missing, truncated, no npz, or holds pickles.
    """
    arrays: Arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(
                        member, allow_pickle=False
                    )
    except FileNotFoundError:
        raise UnreadableError(f"{path} is missing; make the run again") from None
    # A hostile file can make the zip and header parsers raise nearly anything.
    except Exception as error:
        what = "Python objects, which are not read" if "pickle" in str(error).lower() else ""
        raise UnreadableError(
            f"{path} {'holds ' + what if what else 'is damaged: ' + _brief(error)}; "
            "make the run again"
        ) from None
    return arrays


def widen(arrays: Arrays, index: dict[str, ArrayFacts]) -> Arrays:
    """Return the arrays with bfloat16, which NumPy does not know, as float32: no bit is lost.

    A bfloat16 is the upper half of a float32:
    https://en.wikipedia.org/wiki/Bfloat16_floating-point_format.
    """
    for name, facts in index.items():
        array = arrays.get(name)
        if facts.dtype == "bfloat16" and array is not None and array.dtype.itemsize == 2:
            arrays[name] = (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return arrays


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120]
