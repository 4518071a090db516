"""`keras-repro check` and `keras-repro accept`, through the command line."""

import json

import numpy as np
import pytest

from tests.unit.made import changed, make_run

ACCEPT = ("accept", "--backend", "jax", "--reason", "a good reason")


@pytest.fixture
def run(tmp_path):
    """Make the run of the regression on jax, in the working folder of the command line."""

    def make(arrays=None, **facts):
        return make_run(tmp_path / "artifacts" / "regression" / "jax", arrays, **facts)

    return make


@pytest.fixture
def accepted(run, keras_repro, tmp_path):
    run()
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 0, done.stderr
    return tmp_path / "baselines" / "regression" / "jax"


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_identical(accepted, keras_repro):
    done = keras_repro("check", "--backend", "jax")
    assert done.returncode == 0
    assert done.stdout.count("identical") == 4 + 1
    assert "1 of 1 backends" in done.stdout


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
    assert "step 3" in keras_repro("check", "--backend", "jax").stdout


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


def test_an_edited_run_is_not_accepted(accepted, run, keras_repro):
    before = files(accepted)
    folder = run()
    np.savez(folder / "arrays.npz", **changed("weights/0.dense.kernel", 2))
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 6
    assert "is not what the run wrote" in done.stderr
    assert files(accepted) == before
    assert [path.name for path in accepted.parent.iterdir()] == ["jax"]


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


@pytest.mark.parametrize("reason", [(), ("--reason", ""), ("--reason", "  ")])
def test_accepting_needs_a_reason(run, keras_repro, tmp_path, reason):
    run()
    done = keras_repro("accept", "--backend", "jax", "--yes", *reason)
    assert done.returncode == 2
    assert "--reason" in done.stderr
    assert not (tmp_path / "baselines").exists()


def test_nothing_is_accepted_in_ci(run, keras_repro, tmp_path):
    run()
    done = keras_repro(*ACCEPT, "--yes", CI="true")
    assert done.returncode == 2
    assert "CI is set" in done.stderr
    assert not (tmp_path / "baselines").exists()


def test_nothing_is_accepted_without_a_yes(accepted, run, keras_repro):
    before = files(accepted)
    run(changed("weights/0.dense.kernel", 2))
    done = keras_repro(*ACCEPT)  # nobody answers
    assert done.returncode == 130
    assert "weights/0.dense.kernel" in done.stdout  # what would change was shown
    assert files(accepted) == before


def test_accepting_shows_the_change_and_keeps_the_tolerances(accepted, run, keras_repro):
    document = json.loads((accepted / "baseline.json").read_text())
    document["tolerances"] = {"*": {"rtol": 1e-6, "atol": 0.0}}
    (accepted / "baseline.json").write_text(json.dumps(document))
    run(changed("weights/0.dense.kernel", 2))
    done = keras_repro("accept", "--backend", "jax", "--reason", "twice the weight", "--yes")
    assert done.returncode == 0
    assert "drift" in done.stdout
    document = json.loads((accepted / "baseline.json").read_text())
    assert document["reason"] == "twice the weight"
    assert document["tolerances"] == {"*": {"rtol": 1e-6, "atol": 0.0}}
    assert keras_repro("check", "--backend", "jax").returncode == 0


def test_nothing_is_accepted_where_one_backend_has_no_run(run, keras_repro, tmp_path):
    run()
    done = keras_repro("accept", "--reason", "all of them", "--yes")
    assert done.returncode == 3
    assert not (tmp_path / "baselines").exists()
