"""`keras-repro compare`: any two run folders."""

import json

import numpy as np
import pytest

from tests.unit.commands.test_bad_input import check_one_line
from tests.unit.made import ARRAYS, changed, make_run


@pytest.fixture
def two(tmp_path):
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", changed("weights/0.dense.kernel", 1.001), seed=7, backend="a")


def test_two_seeds(two, keras_repro):
    done = keras_repro("compare", "a", "b")
    assert done.returncode == 1
    assert "a -> b" in done.stdout
    assert "likely cause: seed 1337 -> 7" in done.stdout
    assert "4 arrays: 3 identical, 1 drift" in done.stdout
    assert (
        max(map(len, keras_repro("compare", "a", "b", COLUMNS="80").stdout.splitlines()[:9])) <= 80
    )


def test_the_same_facts_and_other_numbers(tmp_path, two, keras_repro):
    keras = {"version": "3", "backend": "a"}
    make_run(tmp_path / "b", changed("weights/0.dense.kernel", 1.001), backend="a", keras=keras)
    assert "likely cause: nothing recorded differs" in keras_repro("compare", "a", "b").stdout


def test_the_same_numbers_and_other_facts(tmp_path, two, keras_repro):
    make_run(tmp_path / "b", packages={"numpy": "1.2"})
    said = keras_repro("compare", "a", "b").stdout
    assert "the same bits, though other facts differ: backend a -> b" in said
    assert "keras 3 -> absent, numpy absent -> 1.2" in said


def test_tolerances_and_patterns(two, keras_repro):
    assert keras_repro("compare", "a", "b", "--rtol", "0.01").returncode == 0
    assert keras_repro("compare", "a", "b", "--atol", "0.01").returncode == 0
    assert keras_repro("compare", "a", "b", "--only", "costs/*").returncode == 0
    done = keras_repro("compare", "a", "b", "--only", "costs/*", "--only", "*kernel")
    assert done.returncode == 1
    assert "predictions" not in done.stdout


def test_a_baseline_is_compared_with_its_own_tolerances(tmp_path, two, keras_repro):
    make_run(tmp_path / "artifacts" / "regression" / "jax")
    assert keras_repro("accept", "--backend", "jax", "--reason", "x", "--yes").returncode == 0
    path = tmp_path / "baselines" / "regression" / "jax" / "baseline.json"
    document = json.loads(path.read_text())
    document["tolerances"] = {"weights/*": {"rtol": 0.01}}
    path.write_text(json.dumps(document))
    assert keras_repro("compare", path.parent, "b").returncode == 0
    assert keras_repro("compare", "b", path.parent).returncode == 1


def test_arrays_on_one_side_only(tmp_path, two, keras_repro):
    arrays = {name: array for name, array in ARRAYS.items() if name != "costs/test"}
    make_run(tmp_path / "b", {**arrays, "predictions/1": np.zeros(2)})
    done = keras_repro("compare", "a", "b")
    assert done.returncode == 1
    assert "not there any more" in done.stdout
    assert "was not there before" in done.stdout


@pytest.mark.parametrize("format_", ["json", "markdown"])
def test_other_formats(two, keras_repro, format_):
    done = keras_repro("compare", "a", "b", "--format", format_)
    assert done.returncode == 1
    if format_ == "json":
        document = json.loads(done.stdout)
        assert document["causes"][0] == {"fact": "seed", "before": "1337", "after": "7"}
        found = {array["name"]: array for array in document["arrays"]}["weights/0.dense.kernel"]
        assert found["verdict"] == "drift"
        assert found["max_ulps"] == 8389
        assert found["worst"] == [0, 0]
    else:
        assert "| weights/0.dense.kernel | ❌ drift |" in done.stdout


def test_bad_input(tmp_path, two, keras_repro):
    check_one_line(keras_repro("compare", "a", "nothing"), 3, "nothing", "run.json")
    check_one_line(keras_repro("compare", "a"), 2, "RUN_B")
    check_one_line(
        keras_repro("compare", "a", "b", "--only", "biases"), 2, "'biases'", "costs/test"
    )
    for value in ("-1", "nan", "inf", "x", ""):
        check_one_line(keras_repro("compare", "a", "b", f"--rtol={value}"), 2, "--rtol")
    make_run(tmp_path / "b", outcome="failed", reason="no \x1b[31mluck\nat all")
    check_one_line(keras_repro("compare", "a", "b"), 4, "no \\x1b[31mluck at all")
    (tmp_path / "b" / "run.json").write_text("{}")
    check_one_line(keras_repro("compare", "a", "b"), 6, "run.json")


def test_a_damaged_array_is_damage_and_no_drift(tmp_path, two, keras_repro):
    path = tmp_path / "b" / "arrays.npz"
    content = bytearray(path.read_bytes())
    place = content.index(np.float32(0.5005).tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    check_one_line(keras_repro("compare", "a", "b"), 6, "weights/0.dense.kernel", "checksum")


def test_markup_in_names_stays_text(tmp_path, keras_repro):
    for folder in ("a", "b"):
        make_run(tmp_path / folder, {"weights/[bold]:smile:[/x]": np.zeros(1)}, seed=len(folder))
    done = keras_repro("compare", "a", "b")
    assert done.returncode == 0
    assert "weights/[bold]:smile:[/x]" in done.stdout
