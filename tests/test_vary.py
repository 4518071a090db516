"""Variations of the regression through the command line, in a real environment."""

import json

import numpy as np

VARY = ("vary", "regression", "--backend", "jax", "--format", "json")
ONLY = ("--only", "isa-xla=avx", "--only", "threads=2", "--only", "ulps=1", "--only", "isa=sse4.2")


def test_what_the_regression_depends_on(keras_repro, engine, tmp_path):
    vary = (*VARY, "--engine", engine)
    done = keras_repro(*vary, *ONLY, "-o", "page.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    by_name = {one["name"]: one for one in found["variations"]}
    assert set(by_name) == {"isa=sse4.2", "isa-xla=avx", "threads=2", "ulps=1"}
    # XLA fuses multiplications and additions from AVX2 on, so that limiting it moves the numbers.
    assert by_name["isa-xla=avx"]["result"] == "moved"
    assert "costs/train" in by_name["isa-xla=avx"]["moved"]
    assert by_name["isa-xla=avx"]["first_step"] is not None
    assert by_name["threads=2"]["result"] == "same"
    runs = tmp_path / "artifacts" / "regression" / "jax.runs"
    facts = json.loads((runs / by_name["isa-xla=avx"]["run"] / "run.json").read_text())
    assert "--xla_cpu_max_isa=AVX" in facts["environment"]["XLA_FLAGS"]
    first = "initial_weights/0.dense.kernel"
    base, moved = (
        np.load(runs / name / "arrays.npz")[first].view(np.int32)
        for name in (found["base"], by_name["ulps=1"]["run"])
    )
    assert np.abs(moved - base).tolist() == [[1]]
    assert "isa-xla=avx" in (tmp_path / "page.html").read_text()
    again = json.loads(keras_repro(*vary, "--only", "threads=2", cwd=tmp_path).stdout)
    assert again["variations"][0]["known"]
    assert not (tmp_path / "artifacts" / "regression" / "jax").exists()
