"""A baseline for each numeric class, through the command line."""

import json

import pytest

from keras_repro.errors import ExitCode
from tests.unit.made import changed, make_run

WEIGHTS = "weights/0.dense.kernel"
KERNELS = {"matmul": "a" * 16, "conv2d": "b" * 16, "exp": "c" * 16}
FACTOR = {"1": 1.0, "2": 1.5, "3": 2.0}  # what the machines of each class compute


def a_class(digit, **kernels):
    return {"version": 1, "digest": digit * 64, "kernels": {**KERNELS, **kernels}}


CLASSES = {
    "1": a_class("1"),
    "2": a_class("2", matmul="2" * 16),
    "3": a_class("3", matmul="3" * 16, conv2d="3" * 16),
}


@pytest.fixture
def machine(tmp_path):
    """Make the run of a machine of this class."""

    def run(digit, factor=None, **facts):
        folder = tmp_path / "artifacts" / "regression" / "jax"
        arrays = changed(WEIGHTS, FACTOR[digit] if factor is None else factor)
        make_run(folder, arrays, **{"numeric_class": CLASSES[digit], **facts})

    return run


@pytest.fixture
def accept(keras_repro):
    def call(*options, reason="on purpose"):
        done = keras_repro("accept", "--backend", "jax", "--reason", reason, "--yes", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def check(keras_repro):
    def call(*options):
        done = keras_repro("check", "--backend", "jax", *options)
        return done.returncode, done.stdout

    return call


@pytest.fixture
def three(machine, accept, tmp_path):
    """The plain baseline of class 1, and those of 2 and 3."""
    machine("1")
    accept()
    for digit in "23":
        machine(digit)
        said = accept("--for-this-class", reason=f"machine {digit}")
        assert f"for the numeric class of the run: jax@{digit * 12}" in said
        assert f"accepted baselines/regression/jax@{digit * 12}" in said
    return tmp_path / "baselines" / "regression"


@pytest.mark.parametrize("digit", "123")
def test_each_machine_is_checked_against_its_own(three, machine, check, digit):
    machine(digit)
    code, text = check()
    assert code == 0, text
    name = "jax" if digit == "1" else f"jax@{digit * 12}"
    assert (f"({name})" in text) is (digit != "1")
    machine(digit, factor=9)
    code, text = check()
    assert code == ExitCode.DRIFT
    assert "there is no baseline" not in text


def test_where_there_is_none_it_is_the_nearest_and_said(three, machine, check):
    """Class 4 differs from 1 in matmul and conv2d, from 2 in conv2d, from 3 in both."""
    machine("2", numeric_class=a_class("4", matmul="2" * 16, conv2d="4" * 16))
    code, text = check()
    assert code == 0
    assert "there is no baseline of the run's numeric class, 444444444444; compared with " in text
    assert "jax@222222222222, in which 1 of 3 kernels differ" in " ".join(text.split())
    _, text = check("--format", "json")
    [result] = json.loads(text)["backends"]
    [cause] = result["causes"]
    assert cause["after"] == "444444444444; differing: conv2d"
    assert "compared with jax@222222222222" in result["note"]
    machine("2", 1.5 * (1 + 1e-6), numeric_class=a_class("4", matmul="2" * 16, conv2d="4" * 16))
    _, text = check("--format", "markdown")
    assert "compared with jax" in text


def test_of_two_that_are_as_near_it_is_the_plain_one(three, machine, check):
    machine("1", numeric_class=a_class("5", exp="5" * 16, matmul="5" * 16))
    code, text = check()  # two kernels from 1, and two from 2
    assert code == 0
    assert "compared with jax, in which 2 of 3 kernels differ" in " ".join(text.split())


@pytest.mark.parametrize(
    "unknown", [None, {"digest": None, "problem": "it hung"}, a_class("2", matmul=None)]
)
def test_without_a_class_it_is_the_plain_one(three, machine, check, unknown):
    machine("1", numeric_class=unknown)
    code, text = check()
    assert code == 0
    assert "compared with jax" in text


def test_a_machine_without_a_plain_one(three, machine, check, tmp_path):
    for path in (three / "jax").iterdir():
        path.unlink()
    (three / "jax").rmdir()
    machine("2", numeric_class=None)
    code, text = check()
    assert code == 0
    assert "compared with jax@222222222222" in text


def test_one_baseline_alone_is_taken_as_it_was(machine, accept, check):
    machine("1")
    accept()
    machine("1", numeric_class=CLASSES["2"])
    code, text = check()
    assert code == 0
    assert "numeric class" not in text


def test_accepting_again_replaces_the_one_that_check_takes(three, machine, accept, check):
    before = {p.name: (p / "baseline.json").read_bytes() for p in three.iterdir()}
    machine("2", factor=7)
    said = accept(reason="another learning rate")
    assert "accepted baselines/regression/jax@222222222222" in said
    assert WEIGHTS in said  # what changed, against its own
    after = {p.name: (p / "baseline.json").read_bytes() for p in three.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"jax@222222222222"}
    assert check()[0] == 0
    machine("3", numeric_class=a_class("6", matmul="6" * 16))
    assert "accepted baselines/regression/jax\n" in accept()  # a class that has none


def test_a_run_without_a_class_gets_no_baseline_of_one(machine, keras_repro, tmp_path):
    for unknown in (None, {"digest": None, "problem": "it hung"}, a_class("1", exp=None)):
        machine("1", numeric_class=unknown)
        options = ("--backend", "jax", "--reason", "x", "--yes", "--for-this-class")
        done = keras_repro("accept", *options)
        assert done.returncode == 2
        assert "the numeric class of the run is not known" in done.stderr
        assert not (tmp_path / "baselines").exists()


def test_history_and_verify_are_of_each(three, keras_repro):
    done = keras_repro("history", "--backend", "jax")
    lines = done.stdout.splitlines()
    names = [line for line in lines if line.startswith("jax")]
    assert names == ["jax", "jax@222222222222", "jax@333333333333"]
    assert "machine 2" in done.stdout
    document = json.loads(keras_repro("verify", "--backend", "jax", "--format", "json").stdout)
    assert [one["backend"] for one in document["baselines"]] == names
    assert document["exit_code"] == 0


def test_an_edited_one_is_bad_for_its_own_class_alone(three, machine, check, keras_repro):
    path = three / "jax@333333333333" / "arrays.npz"
    path.write_bytes((three / "jax" / "arrays.npz").read_bytes())
    done = keras_repro("verify", "--backend", "jax")
    assert done.returncode == 6
    assert "2 of 3 baselines are what was accepted" in done.stdout
    machine("2")
    assert check()[0] == 0
    machine("3")
    code, text = check()
    assert code != 0
    assert "jax@333333333333/arrays.npz is not the file that was accepted" in text


def test_the_first_of_a_class_takes_the_tolerances_of_the_plain_one(machine, accept, tmp_path):
    machine("1")
    accept()
    plain = tmp_path / "baselines" / "regression" / "jax" / "baseline.json"
    facts = json.loads(plain.read_text())
    facts["tolerances"] = {"weights/*": {"rtol": 0.25, "atol": 0.0}}
    plain.write_text(json.dumps(facts))
    machine("2")
    accept("--for-this-class")
    other = plain.parent.with_name("jax@" + "2" * 12) / "baseline.json"
    assert json.loads(other.read_text())["tolerances"] == facts["tolerances"]


def test_folders_of_other_names_are_none(three, machine, check, tmp_path):
    for name in ("jax@", "jax@xyz", "jax@" + "4" * 13, "jax@" + "4" * 11, "jax2@" + "4" * 12):
        (three / name).mkdir()
    (three / ("jax@" + "5" * 12)).touch()
    machine("1")
    assert check()[0] == 0
