"""`keras-repro check` and `keras-repro accept`, through the command line."""

import json

import numpy as np
import pytest

from keras_repro.recorder.facts import file_sha256
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


def test_accepting_some_arrays_keeps_the_others(accepted, run, keras_repro):
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/test"] *= np.float32(1 + 1e-6)  # close
    arrays["predictions/1"] = np.ones(2, np.float32)
    run(arrays)
    options = ("--backend", "jax", "--reason", "the kernel", "--yes", "--only")
    done = keras_repro("accept", *options, "weights/*", "--only", "predictions/1")
    assert done.returncode == 0, done.stderr
    with np.load(accepted / "arrays.npz", allow_pickle=False) as archive:
        assert archive["weights/0.dense.kernel"] == 1.0
        assert archive["costs/test"] == 1.5  # as it was
        assert archive["predictions/1"].tolist() == [1, 1]
    checked = keras_repro("check", "--backend", "jax")
    assert checked.returncode == 0
    document = json.loads((accepted / "baseline.json").read_text())
    assert document["history"][-1]["only"] == ["weights/*", "predictions/1"]
    assert {change["name"] for change in document["history"][-1]["changes"]} == {
        "weights/0.dense.kernel",
        "predictions/1",
    }


def test_accepting_some_arrays_is_refused_where_another_drifts(accepted, run, keras_repro):
    before = files(accepted)
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/test"] *= 2
    run(arrays)
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 1
    assert "costs/test" in done.stderr
    assert keras_repro(*ACCEPT, "--yes", "--only", "nothing").returncode == 2
    assert files(accepted) == before


def test_accepting_some_arrays_needs_a_whole_baseline(accepted, run, keras_repro):
    np.savez(accepted / "arrays.npz", **changed("costs/test", 3))
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 6
    for path in accepted.iterdir():
        path.unlink()
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 2
    assert "no baseline" in done.stderr


def test_accepting_shows_before_and_after_with_ulps(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1 + 2**-23))
    done = keras_repro(*ACCEPT)
    _header, _, row = done.stdout.split("after", 1)[1].partition("difference")[2].splitlines()[:3]
    assert "before" in done.stdout
    assert row.split() == ["weights/0.dense.kernel", "[0,", "0]", "0.50000006", "0.5", "5.96e-08"]
    table = next(line for line in done.stdout.splitlines() if "close" in line)
    assert table.split()[:5] == ["weights/0.dense.kernel", "close", "6.0e-08", "1.2e-07", "1"]


def test_accepting_the_run_of_a_script_that_was_changed_since_says_so(keras_repro, tmp_path):
    (tmp_path / "train.py").write_text("one")
    facts = {"script_sha256": file_sha256(str(tmp_path / "train.py")), "script": "train.py"}
    make_run(tmp_path / "artifacts" / "train" / "jax", **facts)
    options = ("accept", "train.py", "--backend", "jax", "--reason", "x", "--yes")
    assert "was changed since" not in keras_repro(*options).stdout
    (tmp_path / "train.py").write_text("two")
    done = keras_repro(*options)
    assert done.returncode == 0
    assert "train.py was changed since this run was made" in done.stdout


def test_history(accepted, run, keras_repro, tmp_path):
    document = json.loads((accepted / "baseline.json").read_text())
    del document["history"]  # as before there was any
    (accepted / "baseline.json").write_text(json.dumps(document))
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/train"][-1] = 0.25
    run(arrays, packages={"keras": "4"})
    assert (
        keras_repro("accept", "--backend", "jax", "--reason", "Keras [4]", "--yes").returncode == 0
    )
    done = keras_repro("history", "--backend", "jax", "--plot", "costs.svg")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.index("a good reason"), done.stdout.index("Keras [4]")
    assert first < second
    assert "the first baseline" in done.stdout[first:second]
    assert "keras 3 -> 4" in done.stdout[second:]
    assert "weights/0.dense.kernel drift by 5.0e-01" in " ".join(done.stdout[second:].split())
    assert "0.25" in done.stdout
    assert (tmp_path / "costs.svg").read_text().startswith("<?xml")
    history = json.loads((accepted / "baseline.json").read_text())["history"]
    assert [entry["final_cost"] for entry in history] == [1.0, 0.25]


def test_history_of_nothing(keras_repro):
    done = keras_repro("history")
    assert done.returncode == 3
    assert "keras-repro accept" in done.stderr


def test_a_plot_in_a_format_that_does_not_exist(accepted, keras_repro):
    done = keras_repro("history", "--plot", "costs.doc")
    assert done.returncode == 2
    assert "costs.doc" in done.stderr
    done = keras_repro("history", "--plot", "/proc/x/costs.png")
    assert done.returncode == 7
