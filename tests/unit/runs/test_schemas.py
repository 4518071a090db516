"""Every JSON document that keras-repro writes is what its published schema says."""

import json

import jsonschema
import numpy as np
import pytest

from keras_repro.report import json_text
from tests.conftest import ROOT
from tests.unit.made import ARRAYS, changed, make_run


def validate(name, text):
    schema = json.loads((json_text.FOLDER / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(text), schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", json_text.SCHEMAS)
def test_the_published_schemas_are_those_of_the_code(name):
    published = (json_text.FOLDER / f"{name}.schema.json").read_text()
    assert published == json_text.schema(name), "write them anew: make schemas"


RUNS = {
    "as it was": lambda: ARRAYS,
    "drift": lambda: changed("weights/0.dense.kernel", 1.001),
    "not finite": lambda: changed("predictions/0", np.nan),
    "infinite": lambda: changed("predictions/0", -np.inf),
    "missing and unexpected": lambda: {"predictions/7": np.zeros(2)},
    "another shape and dtype": lambda: {
        **ARRAYS,
        "costs/train": np.zeros(9),
        "costs/test": np.array([True]),
    },
    "strings and complex numbers": lambda: {
        **ARRAYS,
        "predictions/a": np.array(["\ud83d\ude00 x"]),
        "predictions/b": np.array([1 + 2j]),
        "predictions/c": np.array([b"\xff"]),
        "predictions/d": np.array([2**63], np.uint64),
        "predictions/e": np.array(["2026-01-01"], "M8[D]"),
        "predictions/f": np.array([1.0], np.longdouble),
    },
}


@pytest.mark.parametrize("before", RUNS)
@pytest.mark.parametrize("after", ["drift", "not finite", "strings and complex numbers"])
def test_documents(tmp_path, keras_repro, before, after):
    run = tmp_path / "artifacts" / "regression" / "jax"
    make_run(run, RUNS[before]())
    accept = ("accept", "--backend", "jax", "--reason", "x", "--yes")
    assert keras_repro(*accept).returncode == 0
    make_run(run, {**RUNS[after](), **{k: v[::-1] for k, v in RUNS[before]().items() if k > "pz"}})
    baseline = tmp_path / "baselines" / "regression" / "jax"
    done = keras_repro("check", "--backend", "jax", "--backend", "torch", "--format", "json")
    validate("check", done.stdout)
    done = keras_repro("compare", baseline, run, "--format", "json")
    validate("compare", done.stdout)
    assert keras_repro(*accept).returncode == 0
    validate("run", (run / "run.json").read_text())
    validate("baseline", (baseline / "baseline.json").read_text())


@pytest.mark.parametrize("kind", ["run", "baseline"])
def test_what_real_backends_wrote(kind):
    folder = ROOT / ("artifacts" if kind == "run" else "baselines")
    paths = sorted(folder.glob(f"regression/*/{kind}.json"))
    assert paths
    for path in paths:
        validate(kind, path.read_text())
