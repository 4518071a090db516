"""A condition is one entry of one table; all else follows from it."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from keras_repro import backends
from keras_repro.project.workload import builtin
from keras_repro.recorder import __main__ as recorder
from keras_repro.recorder import contract
from keras_repro.recorder.contract import Condition, Conditions, recorder_sha256, whole_number
from keras_repro.recorder.facts import file_sha256
from keras_repro.recorder.limits import Limits
from keras_repro.recorder.request import facts_asked
from keras_repro.runs.causes import likely_causes
from keras_repro.runs.run import read_run
from keras_repro.studies import trial
from keras_repro.studies.accept import accept, propose
from keras_repro.studies.check import Place, check
from keras_repro.studies.train.plan import Plan
from keras_repro.studies.train.staleness import other_condition, same_conditions
from tests.conftest import AS_DARWIN
from tests.unit.made import change_facts, make_run

# As somebody would write them into the table: one that can change numbers, and one that cannot.
HUMIDITY = Condition("humidity", "PERCENT", whole_number(0, 100), "Of the air.", default=40)
PATIENCE = Condition(
    "patience", "N", whole_number(0, 100), "Of the user.", default=1, changes_numbers=False
)
COMMAND_LINE = """
from keras_repro.recorder import contract
from keras_repro.recorder.contract import Condition, whole_number
contract.CONDITIONS.append(
    Condition("humidity", "PERCENT", whole_number(0, 100), "Of the air.", default=40)
)
from keras_repro.cli import main
main()
"""
[JAX] = backends.select(("jax",))


@pytest.fixture(autouse=True)
def invented():
    contract.CONDITIONS.extend([HUMIDITY, PATIENCE])
    yield
    del contract.CONDITIONS[-2:]


def workload(**conditions):
    found = builtin("regression", "")
    return replace(found, conditions=found.conditions.having(**conditions))


def run_under(folder, **conditions):
    """Make the run that a recorder leaves under these conditions."""
    facts = {
        "script_sha256": file_sha256(str(workload().script_path)),
        "recorder_sha256": recorder_sha256(),
        "requirements_sha256": JAX.requirements_sha256,
    }
    return read_run(make_run(folder, **Conditions(**conditions).facts(), **facts))


def test_it_is_handed_to_the_recorder_which_records_it(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(recorder, "run", asked.append)
    arguments = Conditions(humidity=41, patience=9).arguments()
    recorder.main(["--out", str(tmp_path / "run"), *arguments])
    [request] = asked
    assert (request.conditions.humidity, request.conditions.patience) == (41, 9)
    facts = facts_asked(request)
    assert facts["humidity"] == 41
    assert "patience" not in facts


def test_every_condition_reaches_the_recorder_as_it_was_given(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(recorder, "run", asked.append)
    given = Conditions(
        seed=7,
        system_packages=("g++", "graphviz=2.42.2-7"),
        data=(("data", "/somewhere/data"), ("more", "/somewhere/more")),
        datasets="/somewhere/datasets",
        threads=2,
        environment={"A": "1", "B": "x=y"},
        time_limit=90.0,
        memory_limit=1 << 30,
        files_limit=1 << 20,
    )
    recorder.main(["--out", str(tmp_path / "run"), *given.arguments()])
    assert asked[0].conditions == given


def test_it_makes_a_run_stale(tmp_path):
    facts = run_under(tmp_path / "jax", humidity=41).facts
    assert other_condition(facts, workload(humidity=41), JAX, "local") is None
    assert other_condition(facts, workload(), JAX, "local") == "humidity"


def test_a_run_older_than_the_condition_had_its_default(tmp_path):
    run = run_under(tmp_path / "jax")
    document = json.loads((run.folder / contract.FACTS).read_text())
    del document["humidity"]
    (run.folder / contract.FACTS).write_text(json.dumps(document))
    facts = read_run(run.folder).facts
    assert other_condition(facts, workload(), JAX, "local") is None
    assert other_condition(facts, workload(humidity=41), JAX, "local") == "humidity"


def test_it_parts_runs_that_are_expected_to_repeat(tmp_path):
    first, other = run_under(tmp_path / "a"), run_under(tmp_path / "b", humidity=41)
    assert same_conditions(first, first)
    assert not same_conditions(first, other)


def test_it_enters_the_key_of_kept_trials():
    assert trial._key(workload(), JAX, "local") != trial._key(workload(humidity=41), JAX, "local")


def test_it_is_named_as_a_cause(tmp_path):
    first = run_under(tmp_path / "a" / "jax").facts
    other = run_under(tmp_path / "b" / "jax", humidity=41).facts
    assert [str(cause) for cause in likely_causes(other, first)] == ["humidity 40 -> 41"]


@pytest.mark.parametrize(
    "limit", [{"patience": 9}, {"time_limit": 5.0}, {"memory_limit": 1 << 30}, {"files_limit": 5}]
)
def test_what_cannot_change_numbers_makes_nothing_stale_and_enters_no_key(tmp_path, limit):
    facts = run_under(tmp_path / "jax", **limit).facts
    assert other_condition(facts, workload(), JAX, "local") is None
    assert trial._key(workload(), JAX, "local") == trial._key(workload(**limit), JAX, "local")


def command_line(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", COMMAND_LINE, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_an_option_and_a_key_of_the_configuration(tmp_path):
    assert "--humidity PERCENT" in command_line(tmp_path, "train", "--help").stdout
    done = command_line(tmp_path, "train", "--humidity", "101")
    assert done.returncode == 2
    assert done.stderr == "keras-repro: --humidity '101' is not a whole number from 0 to 100\n"
    (tmp_path / "train.py").write_text("import keras\n")
    text = '[workloads.mine]\nscript = "train.py"\nhumidity = {}\n'
    (tmp_path / "keras-repro.toml").write_text(text.format(41))
    assert "no run in" in command_line(tmp_path, "check", "mine", "--backend", "jax").stdout
    (tmp_path / "keras-repro.toml").write_text(text.format(101))
    done = command_line(tmp_path, "check", "mine")
    assert done.returncode == 2
    assert "keras-repro.toml:3: workloads.mine.humidity: '101' is not a whole" in done.stderr


def test_a_baseline_keeps_it(tmp_path):
    of = workload(humidity=41)
    place = Place(of, tmp_path / "artifacts", tmp_path / "baselines")
    run_under(place.run(JAX), humidity=41)
    accept(place, propose(place, JAX), "because")
    assert check(place, [JAX])[0].causes == []
    run_under(place.run(JAX))
    assert [str(cause) for cause in check(place, [JAX])[0].causes] == ["humidity 41 -> 40"]


@pytest.mark.parametrize("limit", [0.00001, 90.0, 7200.0])
def test_any_time_limit_reaches_the_recorder(monkeypatch, tmp_path, limit):
    asked = []
    monkeypatch.setattr(recorder, "run", asked.append)
    recorder.main(["--out", str(tmp_path / "run"), *Conditions(time_limit=limit).arguments()])
    assert asked[0].conditions.time_limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("reason", "is_final"),
    [
        ("exit status 1: ValueError: no", True),
        ("it ran longer than its limit of 1 s", False),
        ("it used 2 GB, more than its limit of 1 GB", False),
        ("killed by SIGKILL (out of memory?)", False),
    ],
)
def test_a_failure_that_a_limit_made_is_tried_again(tmp_path, reason, is_final):
    run_under(tmp_path / "regression" / "jax")
    change_facts(tmp_path / "regression" / "jax", outcome="failed", reason=reason)
    known = trial._known(Plan(workload(), [JAX], tmp_path), JAX, "local")
    assert (known is not None) is is_final


def test_the_limits_are_said_in_the_words_that_are_looked_for():
    limits = [{"time_limit": 0.0}]
    if not AS_DARWIN:  # /proc says how much memory is used, and how many processes run
        limits += [{"memory_limit": 1}, {"processes_limit": 0.5}]
    with subprocess.Popen(["sleep", "60"]) as child:
        for limit in limits:
            assert contract.OVER_LIMIT in Limits(Conditions(**limit)).exceeded()
        child.kill()
