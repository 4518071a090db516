"""Runs, baselines and projects that never change, written with nothing of keras-repro's.

What a version of keras-repro says of them can be held against what another one says. They are
dated 2001, so that no date of theirs is taken for the present one.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA_VERSION = 1
BACKENDS = ("jax", "tensorflow", "tensorflow1", "theano", "torch")
ARRAYS = {
    "costs/train": np.linspace(2, 1, 5, dtype=np.float32),
    "costs/test": np.array([1.5], np.float32),
    "initial_weights/0.dense.kernel": np.array([[0.25]], np.float32),
    "weights/0.dense.kernel": np.array([[0.5]], np.float32),
    "weights/0.dense.bias": np.array([0.125], np.float32),
    "predictions/0": np.arange(4, dtype=np.float32).reshape(4, 1) + 1,
}
# Whatever a script may leave: several models, arrays of its own, metrics, and every kind of dtype.
RICH = {
    **ARRAYS,
    "gradients/norm": np.array([3.0, 2.0, 1.0], np.float32),
    "my/costs/first": np.array([1.0, 2.0], np.float64),
    "metrics/train.accuracy": np.linspace(0, 1, 5, dtype=np.float32),
    "metrics/test.accuracy": np.array([0.75], np.float32),
    "history/loss": np.array([2.0, 1.0]),
    "history/val_loss": np.array([2.5, 1.5]),
    "model2/costs/train": np.array([8.0, 4.0, 2.0], np.float32),
    "model2/initial_weights/0.dense.kernel": np.ones((2, 3), np.float32),
    "model2/weights/0.dense.kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "model2/predictions/0": np.array([[0.5, 0.5]], np.float32),
    "model2/metrics/train.accuracy": np.array([0.0, 0.5, 1.0], np.float32),
    "model2/tests/0": np.array([2.0], np.float32),
    "dtypes/bool": np.array([True, False]),
    "dtypes/complex": np.array([1 + 2j, 3 - 4j], np.complex64),
    "dtypes/empty": np.zeros((0, 3), np.float32),
    "dtypes/half": np.array([1.0, 0.5], np.float16),
    "dtypes/integer": np.array([1, -(2**62)], np.int64),
    "dtypes/scalar": np.array(7, np.uint8),
    "dtypes/text": np.array(["one", "two"]),
    "dtypes/brain": np.array([b"\x80\x3f", b"\x00\x40"], "V2"),  # 1.0 and 2.0 as bfloat16
}
DTYPES = {"dtypes/brain": "bfloat16"}


def changed(name: str, factor: float, of: dict[str, Any] = ARRAYS, at: int = 0) -> dict[str, Any]:
    """Return the arrays with one element of one of them multiplied."""
    arrays = {key: array.copy() for key, array in of.items()}
    arrays[name].reshape(-1)[at] *= arrays[name].dtype.type(factor)
    return arrays


def without(name: str, of: dict[str, Any] = ARRAYS) -> dict[str, Any]:
    """Return the arrays without one of them."""
    return {key: array for key, array in of.items() if key != name}


def sha256(path: Path) -> str:
    """Return a file's digest in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_arrays(path: Path, arrays: dict[str, Any]) -> dict[str, Any]:
    """Write an npz as the recorder does, and return what run.json says of its arrays."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return {
        name: {"dtype": DTYPES.get(name, array.dtype.name), "shape": list(array.shape)}
        for name, array in arrays.items()
    }


def conditions(backend: str, **facts: Any) -> dict[str, Any]:
    """Return what a run and a baseline both say of where their numbers come from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "script": "regression.py",
        "module": None,
        "modules": {},
        "data": [],
        "datasets": False,
        "script_args": [],
        "script_sha256": "0" * 64,
        "recorder_sha256": "5" * 64,
        "seed": 1337,
        "threads": 1,
        "backend": backend,
        "engine": "local",
        "image": None,
        "requirements_sha256": "1" * 64,
        "extra_requirements_sha256": None,
        "keras": {"version": "3.1", "backend": backend, "floatx": "float32", "epsilon": 1e-7},
        "python": "3.11.7",
        "os": "Debian",
        "libc": "glibc 2.36",
        "machine": "x86_64",
        "cpu": {"model": "a processor", "instruction_sets": ["avx", "avx2"], "cores": 2},
        "packages": {"keras": "3.1", "numpy": "1.26.0", backend: "1.0"},
        "environment": {"PYTHONHASHSEED": "1337", "TF_ENABLE_ONEDNN_OPTS": "1"},
        "determinism": {},
        **facts,
    }


def run(folder: Path, arrays: dict[str, Any] | None = None, **facts: Any) -> Path:
    """Write a run folder; a keyword replaces a fact."""
    folder.mkdir(parents=True, exist_ok=True)
    index = write_arrays(folder / "arrays.npz", ARRAYS if arrays is None else arrays)
    document = {
        **conditions(folder.name),
        "outcome": "completed",
        "reason": None,
        "hint": None,
        "network": [],
        "files": {},
        "files_left_out": {},
        "started": "2001-01-01T00:00:00+00:00",
        "durations": {"total": 1.0, "script": 0.5},
        "steps": 5,
        "kernel": "6.1",
        "arrays": index,
        "arrays_sha256": sha256(folder / "arrays.npz"),
        "not_recorded": {},
        **facts,
    }
    (folder / "run.json").write_text(json.dumps(document))
    (folder / "log.txt").write_text("said by the script\n")
    return folder


def failed(folder: Path, reason: str = "RuntimeError: out of luck", **facts: Any) -> Path:
    """Write the folder of a run that failed, beside where a good one would be."""
    folder = folder.with_name(f"{folder.name}.failed")
    backend = folder.name.removesuffix(".failed")
    run(folder, {}, backend=backend, outcome="failed", reason=reason, **facts)
    (folder / "arrays.npz").unlink()
    return folder


def baseline(
    folder: Path,
    arrays: dict[str, Any] | None = None,
    workload: str | None = None,
    **facts: Any,
) -> Path:
    """Write a baseline that was accepted once; a keyword replaces a fact."""
    folder.mkdir(parents=True, exist_ok=True)
    index = write_arrays(folder / "arrays.npz", ARRAYS if arrays is None else arrays)
    first = {
        "accepted": "2001-01-01T00:00:00+00:00",
        "reason": "the first one",
        "environment": {"engine": "local", "python": "3.11.7", "processor": "a processor"},
        "only": [],
        "final_cost": 1.0,
        "changed_facts": [],
        "changes": None,
    }
    document = {
        **conditions(folder.name),
        "workload": workload or folder.parent.name,
        "reason": "the first one",
        "accepted": "2001-01-01T00:00:00+00:00",
        "tolerances": {"*": {"rtol": 1e-5, "atol": 1e-7}},
        "arrays": index,
        "arrays_sha256": sha256(folder / "arrays.npz"),
        "history": [first],
        **facts,
    }
    (folder / "baseline.json").write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    return folder


def edit(path: Path, **facts: Any) -> None:
    """Replace values of a JSON document that stands; None takes a key out."""
    document = {**json.loads(path.read_text()), **facts}
    kept = {key: value for key, value in document.items() if facts.get(key, 0) is not None}
    path.write_text(json.dumps(kept))
