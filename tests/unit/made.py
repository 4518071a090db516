"""Make runs and baselines without a framework."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_repro.recorder import contract
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.facts import file_sha256

ARRAYS = {
    "costs/train": np.linspace(2, 1, 5, dtype=np.float32),
    "costs/test": np.array([1.5], np.float32),
    "weights/0.dense.kernel": np.array([[0.5]], np.float32),
    "predictions/0": np.arange(4, dtype=np.float32).reshape(4, 1) + 1,
}


def make_run(folder: Path, arrays=None, trail=None, limits=None, **facts) -> Path:
    """Write a run folder; a keyword replaces a fact. ``trail`` is the document, or its links.

    Arrays over ``limits`` are kept as their summaries.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / contract.ARRAYS).unlink(missing_ok=True)  # as a rename does: who has it open keeps it
    samples = folder / contract.SAMPLES
    samples.unlink(missing_ok=True)
    writer = ArrayWriter(str(folder / contract.ARRAYS), limits, str(samples))
    for name, array in (ARRAYS if arrays is None else arrays).items():
        writer.write(name, array)
    writer.close()
    document = {
        "schema_version": contract.SCHEMA_VERSION,
        "outcome": "completed",
        "reason": None,
        "script": "regression.py",
        "script_args": [],
        "script_sha256": "0" * 64,
        "seed": 1337,
        "threads": 1,
        "backend": folder.name,
        "engine": "local",
        "image": None,
        "requirements_sha256": "1" * 64,
        "started": "2026-01-01T00:00:00+00:00",
        "durations": {"total": 1.0, "script": 0.5},
        "steps": 5,
        "keras": {"version": "3", "backend": folder.name},
        "python": "3.11.7",
        "os": "Debian",
        "kernel": "6",
        "machine": "x86_64",
        "cpu": {"model": "a processor", "instruction_sets": [], "cores": 2},
        "packages": {"keras": "3"},
        "environment": {},
        "arrays": writer.index,
        "arrays_sha256": file_sha256(str(folder / contract.ARRAYS)),
        **facts,
    }
    if writer.summaries:
        document |= {"summaries": writer.summaries, "schema_version": contract.SUMMARIES_SCHEMA}
        document["samples_sha256"] = file_sha256(str(samples))
    (folder / contract.FACTS).write_text(json.dumps(document))
    (folder / contract.LOG).write_text("")
    (folder / contract.TRAIL).unlink(missing_ok=True)
    if trail is not None:
        whole = trail if isinstance(trail, dict) else {"schema_version": 1, "links": trail}
        (folder / contract.TRAIL).write_text(json.dumps(whole))
    return folder


@dataclass
class InMemory:
    """An array as compare wants one, without a file. ``name`` tells a bfloat16."""

    array: np.ndarray
    name: str = ""

    def __post_init__(self):
        self.array = np.asarray(self.array)
        self.name = self.name or self.array.dtype.name
        self.dtype, self.shape, self.size = self.array.dtype, self.array.shape, self.array.size

    def read(self, start, stop):
        return self.array.reshape(-1)[start:stop]


def change_facts(folder: Path, **facts) -> None:
    """Replace facts of a run that stands."""
    path = folder / contract.FACTS
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def changed(name: str, factor: float):
    """Return the arrays with the first element of one of them multiplied."""
    arrays = {key: array.copy() for key, array in ARRAYS.items()}
    arrays[name].reshape(-1)[0] *= np.float32(factor)
    return arrays


def ensemble(**values) -> dict:
    """Return the document of an ensemble: {scalar: values of its seeds}; the first one counts.

    In place of "/" a name has "__". The margins are one standard deviation.
    """
    from keras_repro.runs.ensemble import margin_of

    scalars = {}
    for at, (name, given) in enumerate(values.items()):
        array = np.asarray(given, float)
        numbers = [x if np.isfinite(x) else str(x) for x in array.tolist()]
        own = margin_of(array, 1.0)
        margin = {"value": own.value, "deviations": own.deviations}
        scalars[name.replace("__", "/")] = {
            "primary": at == 0,
            "margin": margin,
            "values": numbers,
        }
    return {
        "schema_version": 1,
        "workload": "regression",
        "backend": "jax",
        "seeds": list(range(len(array))),
        "scalars": scalars,
        "origin": {"script_sha256": None, "seed": 0, "packages": {"keras": "3"}},
    }


def spread_out(count: int, at=0.0, deviation=1.0) -> np.ndarray:
    """Return what normal values are like that have no chance in them."""
    from scipy import special

    return at + deviation * special.ndtri((np.arange(count) + 0.5) / count)
