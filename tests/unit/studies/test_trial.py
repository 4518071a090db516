"""What was tried is not tried again, where it is what was tried."""

import json
from dataclasses import replace

import pytest

from keras_repro import backends
from keras_repro.project.workload import builtin
from keras_repro.recorder.contract import Conditions
from keras_repro.studies.train.plan import Plan
from keras_repro.studies.train.train import train
from keras_repro.studies.trial import PROBLEM, try_in
from tests.unit.made import change_facts, changed, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good

BACKEND = backends.load()["jax"]


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """Try the regression; return the trial, and how often the engine has run by now."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def script(engine, job):
        ended = good(engine, job)
        change_facts(job.out, packages={})
        return ended

    engine = MadeUpEngine(jax=script)
    return lambda: (try_in(builtin("regression", ""), BACKEND, engine), len(engine.ran))


def test_what_was_tried_is_taken(attempt):
    assert [(trial.cached, ran) for trial, ran in (attempt(), attempt())] == [(False, 1), (True, 1)]


def test_a_run_whose_arrays_were_exchanged_for_valid_ones_is_tried_again(attempt, tmp_path):
    trial, _ = attempt()
    other = make_run(tmp_path / "other", changed("weights/0.dense.kernel", 2))
    (other / "arrays.npz").replace(trial.run.folder / "arrays.npz")
    trial, ran = attempt()
    assert (trial.cached, ran) == (False, 2)
    assert trial.run.arrays["weights/0.dense.kernel"].load() == 0.5


@pytest.mark.parametrize("text", ["[]", '{"problem": ', "[" * 5000 + "]" * 5000, "7", '"problem"'])
def test_a_damaged_note_of_a_problem_is_as_good_as_none(attempt, text):
    trial, _ = attempt()
    note = trial.run.folder.parents[1] / PROBLEM
    note.write_text(text)
    assert attempt()[0].cached
    note.write_text(json.dumps({"problem": "does not install"}))
    assert attempt()[0].problem == "does not install"


@pytest.mark.parametrize("way", ["try", "train"])
def test_each_environment_has_what_the_script_needs_of_debian(way, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    had = []

    def script(engine, job):
        had.append(job.backend.from_debian)
        ended = good(engine, job)
        change_facts(job.out, packages={}, system_packages=["graphviz"], processor="Haswell")
        return ended

    engine = MadeUpEngine(jax=script)
    engine.prepare = lambda backend, say: had.append(backend.from_debian)
    conditions = Conditions(system_packages=("graphviz",), processor="Haswell")
    workload = replace(builtin("regression", ""), conditions=conditions)
    if way == "try":
        assert try_in(workload, BACKEND, engine).run is not None
        assert try_in(workload, BACKEND, engine).cached
    else:
        train([Plan(workload, [BACKEND], tmp_path)], engine, lambda entries: None)
    assert set(had) == {("graphviz", "qemu-user")}
