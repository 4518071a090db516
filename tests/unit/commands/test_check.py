"""`keras-repro check`, through the command line."""

import json

import numpy as np
import pytest

from tests.unit.commands.conftest import ACCEPT
from tests.unit.made import changed, make_run


def test_identical(accepted, keras_repro):
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "jax          identical   4 arrays",
        "1 of 1 backends as their baselines (4 identical)",
    ]
    done = keras_repro("check", "--backend", "jax", "-v")
    assert done.returncode == 0
    assert done.stdout.count("identical") == 1 + 4 + 1
    assert "1 of 1 backends" in done.stdout


def test_every_backend_has_a_line_and_what_drifts_its_table(accepted, run, keras_repro, tmp_path):
    """At 80 columns, verdicts stand below each other."""
    make_run(tmp_path / "artifacts" / "regression" / "tensorflow1")
    done = keras_repro("accept", "--backend", "tensorflow1", "--reason", "too", "--yes")
    assert done.returncode == 0, done.stderr
    run(changed("weights/0.dense.kernel", 1.001))
    done = keras_repro(
        "check", "--backend", "jax", "--backend", "tensorflow1", "--backend", "torch", COLUMNS="80"
    )
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert lines[0] == "jax          drift       4 arrays: 3 identical, 1 drift"
    assert sum(line.startswith("weights/0.dense.kernel") for line in lines) == 2
    assert "tensorflow1  identical   4 arrays" in lines
    assert "torch        no run" in lines
    assert lines[-1] == "1 of 3 backends as their baselines (7 identical, 1 drift)"


def test_what_is_close_is_said_in_a_line_and_shown_with_v(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1 + 1e-6), requirements_sha256="2" * 64)
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "jax          close       4 arrays: 3 identical, 1 close",
        "1 of 1 backends as their baselines (3 identical, 1 close); -v shows what is close",
    ]
    done = keras_repro("check", "--backend", "jax", "-v")
    assert "likely cause: lock" in done.stdout
    assert "-v shows" not in done.stdout


def test_close_is_well_and_says_where_the_same_bits_were_due(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1 + 1e-6))
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 0
    assert "close" in done.stdout
    assert "same bits" in done.stdout
    done = keras_repro("check", "--backend", "jax", "--exact")
    assert done.returncode == 1
    run(changed("weights/0.dense.kernel", 1 + 1e-6), requirements_sha256="2" * 64)
    assert "same bits" not in keras_repro("check", "--backend", "jax").stdout


def test_drift_is_a_table_with_index_obtained_expected_and_difference(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1.001))
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 1
    row = next(line for line in done.stdout.splitlines() if "0.5005" in line)
    assert "weights/0.dense.kernel" in row
    assert "[0, 0]" in row
    assert "0.5" in row
    assert "drift" in done.stdout


def test_a_cost_is_named_by_its_step(accepted, run, keras_repro):
    arrays = changed("costs/train", 1)
    arrays["costs/train"][3] *= 1.01
    run(arrays)
    done = keras_repro("check", "--backend", "jax")
    assert "after step 2" in done.stdout
    assert "the update of step 2, or the data of step 3, is not the same" in done.stdout
    assert "outside the tolerance at once" in done.stdout


def test_a_cost_that_is_close_at_first_is_outside_later(accepted, run, keras_repro):
    arrays = changed("costs/train", 1)
    arrays["costs/train"][2:] *= np.float32(1 + 1e-6)
    arrays["costs/train"][4] *= 1.01
    run(arrays)
    done = keras_repro("check", "--backend", "jax", "--format", "json")
    arrays = {array["name"]: array for array in json.loads(done.stdout)["backends"][0]["arrays"]}
    costs = arrays["costs/train"]
    assert (costs["first"], costs["first_step"]) == ([2], 1)
    assert (costs["first_outside"], costs["first_step_outside"]) == ([4], 3)


def test_costs_that_differ_from_the_start(accepted, run, keras_repro):
    run(changed("costs/train", 2))
    done = keras_repro("check", "--backend", "jax")
    assert "differs from the start" in done.stdout


def test_another_release_of_numpy_is_the_first_cause(accepted, run, keras_repro):
    run(
        changed("weights/0.dense.kernel", 1 + 1e-6),
        packages={"keras": "3", "numpy": "1.18.4", "absl-py": "2"},
        image="sha256:1234",
    )
    done = keras_repro("check", "--backend", "jax", "-v")
    assert "likely cause: numpy absent -> 1.18.4" in done.stdout


def test_only_and_tolerances(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1.001))
    assert keras_repro("check", "--backend", "jax", "--only", "costs/*").returncode == 0
    assert keras_repro("check", "--backend", "jax", "--rtol", "0.01").returncode == 0
    done = keras_repro("check", "--backend", "jax", "--only", "nothing")
    assert done.returncode == 2
    assert "no array matches 'nothing'" in done.stderr


def test_nan_in_the_costs(accepted, run, keras_repro):
    run(changed("costs/train", np.nan))
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 1
    assert "nonfinite" in done.stdout
    refused = keras_repro(*ACCEPT, "--yes")
    assert refused.returncode == 4
    assert refused.stderr.count("\n") == 1
    assert "not finite" in refused.stderr


def test_json(accepted, run, keras_repro):
    arrays = changed("costs/train", np.nan)
    del arrays["predictions/0"]
    run(arrays)
    done = keras_repro("check", "--backend", "jax", "--format", "json")
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 1
    [backend] = document["backends"]
    verdicts = {array["name"]: array["verdict"] for array in backend["arrays"]}
    assert verdicts["costs/train"] == "nonfinite"
    assert verdicts["predictions/0"] == "missing"
    assert verdicts["costs/test"] == "identical"


def test_no_run_and_no_baseline(keras_repro, run):
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 3
    assert "keras-repro train --backend jax" in done.stdout
    run()
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 3
    assert 'keras-repro accept --backend jax --reason "..."' in done.stdout


def test_a_failed_run(accepted, run, tmp_path, keras_repro):
    make_run(
        tmp_path / "artifacts" / "regression" / "jax.failed", outcome="failed", reason="no luck"
    )
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 4
    assert "no luck" in done.stdout
    refused = keras_repro(*ACCEPT, "--yes")
    assert refused.returncode == 4


def test_an_edited_baseline_that_drifts_shows_both(accepted, keras_repro):
    np.savez(accepted / "arrays.npz", **changed("weights/0.dense.kernel", 1.001))
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 6
    assert "drift" in done.stdout
    assert "0.5005" in done.stdout


def test_an_edited_baseline(accepted, keras_repro):
    np.savez(accepted / "arrays.npz", **changed("weights/0.dense.kernel", 1 + 1e-6))
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 6
    assert "not the file that was accepted" in done.stdout


@pytest.mark.parametrize("name", ["arrays.npz", "baseline.json"])
def test_a_truncated_baseline(accepted, keras_repro, name):
    (accepted / name).write_bytes((accepted / name).read_bytes()[:60])
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 6
    assert "Traceback" not in done.stdout + done.stderr


def test_of_very_many_arrays_those_that_do_not_pass_are_shown_first(run, keras_repro):
    arrays = {f"weights/{n}.kernel": np.full(2, n + 1, np.float32) for n in range(700)}
    run(arrays)
    assert keras_repro(*ACCEPT, "--yes").returncode == 0
    run({**arrays, "weights/699.kernel": np.zeros(2, np.float32)})
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 1
    assert done.stdout.count("weights/") == 501  # the one that drifts is in both tables
    assert done.stdout.count("weights/699.kernel") == 2
    assert "… and 200 more arrays; check --only PATTERN shows some of them" in done.stdout
    run({name: array * 2 for name, array in arrays.items()})
    done = keras_repro(*ACCEPT)
    assert "… and 200 more arrays" in done.stdout
    assert done.stdout.count("weights/") == 1000
