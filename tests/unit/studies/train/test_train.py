"""Training on several backends, with an engine that makes runs without a framework."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.engines.recorder_arguments import LAUNCH
from keras_repro.errors import ExitCode, UnavailableError
from keras_repro.numbers.comparison import Verdict
from keras_repro.project.workload import builtin, from_script
from keras_repro.recorder.contract import recorder_sha256
from keras_repro.recorder.facts import cpu_facts, file_sha256
from keras_repro.recorder.folder import prepare
from keras_repro.report.train import print_trained
from keras_repro.runs.run import last_run
from keras_repro.studies.train import train as train_module
from keras_repro.studies.train.plan import Plan
from keras_repro.studies.train.staleness import stale_reason
from keras_repro.studies.train.train import train as train_all
from tests.conftest import ROOT
from tests.unit.made import ARRAYS, change_facts, changed, make_run


class MadeUpEngine:
    """Leaves the arrays it is given; a callable per backend stands for what the script does."""

    name = "local"
    title = "made up"
    slots = 2

    def __init__(self, **scripts):
        self.scripts = scripts
        self.stopped = threading.Event()
        self.active = self.most_active = 0
        self.lock = threading.Lock()
        self.ran = []

    def availability(self, backend):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def environment_id(self, backend):
        return "the environment"

    def changed_since(self, backend, image):
        return None

    def prepare(self, backend, say):
        say("installing packages")

    def run(self, job, say):
        self.ran.append(job.backend.name)
        with self.lock:
            self.active += 1
            self.most_active = max(self.most_active, self.active)
        try:
            return self.scripts.get(job.backend.name, good)(self, job)
        finally:
            with self.lock:
                self.active -= 1

    def abandon(self, job, reason):
        command = [sys.executable, "-c", LAUNCH, "--out", job.out, "--abandoned", reason]
        command += ["--backend", job.backend.name, "--", job.workload.script]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        subprocess.run(command, cwd=job.workload.folder, env=environment, check=True)

    def stop(self):
        self.stopped.set()


def good(engine, job, arrays=ARRAYS, **facts):
    make_run(
        job.out,
        arrays,
        script_sha256=file_sha256(str(job.workload.script_path)),
        **job.workload.conditions.facts(),
        requirements_sha256=job.backend.requirements_sha256,
        recorder_sha256=recorder_sha256(),
        cpu=cpu_facts(),
        **facts,
    )
    return Ended(0, "")


def fails(engine, job):
    make_run(job.out, {}, outcome="failed", reason="ValueError: no")
    return Ended(4, "ValueError: no")


def unavailable(engine, job):
    raise UnavailableError("no such thing here")


def plan(tmp_path: Path, *names: str, if_needed=False, repeat=1, **more) -> Plan:
    selected = backends.select(names or ("theano", "jax", "torch"))
    workload = builtin("regression", "")
    chosen = {name: more.pop(name) for name in list(more) if hasattr(workload.conditions, name)}
    workload = replace(workload, conditions=workload.conditions.having(**chosen), **more)
    return Plan(workload, selected, tmp_path / "artifacts", if_needed, repeat)


def train(the_plan, engine):
    [results] = train_all([the_plan], engine, lambda progress: None)
    return results


def test_one_failure_does_not_stop_the_others(tmp_path):
    engine = MadeUpEngine(theano=fails, jax=unavailable)
    results = {result.backend.name: result for result in train(plan(tmp_path), engine)}
    assert results["theano"].exit_code == ExitCode.RUN_FAILED
    assert "ValueError: no" in results["theano"].problem
    assert results["jax"].exit_code == ExitCode.UNAVAILABLE
    assert results["torch"].exit_code == ExitCode.OK


def test_a_rerun_is_compared_bit_by_bit(tmp_path):
    first = train(plan(tmp_path, "jax"), MadeUpEngine())[0]
    assert first.repeats is None
    assert train(plan(tmp_path, "jax"), MadeUpEngine())[0].repeats is True

    def drifts(engine, job):
        return good(engine, job, changed("costs/train", 1 + 2e-7))

    third = train(plan(tmp_path, "jax"), MadeUpEngine(jax=drifts))[0]
    assert third.repeats is False
    assert third.exit_code == ExitCode.DRIFT
    [array] = [array for array in third.repeat if array.verdict is not Verdict.IDENTICAL]
    assert array.name == "costs/train"


def test_a_run_of_other_things_is_no_rerun(tmp_path):
    train(plan(tmp_path, "jax"), MadeUpEngine())
    assert train(plan(tmp_path, "jax", seed=7), MadeUpEngine())[0].repeats is None


def test_a_diverged_training_is_said_with_its_step(tmp_path):
    arrays = changed("costs/train", 1)
    arrays["costs/train"][2:] = np.nan

    def diverges(engine, job):
        return good(engine, job, arrays)

    result = train(plan(tmp_path, "jax"), MadeUpEngine(jax=diverges))[0]
    assert result.exit_code == ExitCode.RUN_FAILED
    assert "costs/train is nan from step 2 on" in result.problem


def test_a_killed_container_leaves_a_failed_run(tmp_path):
    def killed(engine, job):
        job.out.parent.mkdir(parents=True)
        (Path(prepare(str(job.out))) / "log.txt").write_text("step 1\n")
        return Ended(137, "")

    result = train(plan(tmp_path, "jax"), MadeUpEngine(jax=killed))[0]
    assert result.exit_code == ExitCode.RUN_FAILED
    assert "137" in result.problem
    again = last_run(tmp_path / "artifacts" / "regression" / "jax")
    assert again.facts.outcome == "failed"
    assert (again.folder / "log.txt").read_text() == "step 1\n"


def test_a_file_of_the_users_shadows_nothing_of_the_harness(tmp_path, monkeypatch):
    """The failed run is published by a process of the harness's, in the script's folder."""
    (tmp_path / "typing.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "train.py").write_text("")
    monkeypatch.chdir(tmp_path)

    def killed(engine, job):
        job.out.parent.mkdir(parents=True)
        (Path(prepare(str(job.out))) / "log.txt").write_text("step 1\n")
        return Ended(137, "")

    of = Plan(from_script("train.py"), list(backends.select(("jax",))), tmp_path / "artifacts")
    train(of, MadeUpEngine(jax=killed))
    assert last_run(tmp_path / "artifacts" / "train" / "jax").facts.outcome == "failed"


def test_no_more_at_once_than_the_engine_has_room_for(tmp_path):

    def slow(engine, job):
        time.sleep(0.1)
        return good(engine, job)

    names = ("theano", "jax", "torch", "tensorflow")
    engine = MadeUpEngine(**dict.fromkeys(names, slow))
    train(plan(tmp_path, *names), engine)
    assert engine.most_active == 2
    engine = MadeUpEngine(**dict.fromkeys(names, slow))
    train(plan(tmp_path, *names, threads=2), engine)
    assert engine.most_active == 1


def test_an_interrupt_stops_every_run_and_comes_through(tmp_path, monkeypatch):
    def until_stopped(engine, job):
        assert engine.stopped.wait(10)
        return Ended(130, "interrupted")

    def interrupted(futures):
        raise KeyboardInterrupt

    engine = MadeUpEngine(theano=until_stopped, jax=until_stopped)
    monkeypatch.setattr(train_module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(plan(tmp_path, "theano", "jax"), engine)
    assert engine.stopped.is_set()


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ({}, False),
        ({"seed": 1}, True),
        ({"threads": 2}, True),
        ({"args": ("--lr", "1")}, True),
    ],
)
def test_if_needed_leaves_out_what_is_up_to_date(tmp_path, change, stale):
    train(plan(tmp_path, "jax"), MadeUpEngine())
    engine = MadeUpEngine()
    [result] = train(plan(tmp_path, "jax", if_needed=True, **change), engine)
    assert engine.ran == (["jax"] if stale else [])
    assert result.skipped is not stale


@pytest.mark.parametrize(
    "fact", ["script_sha256", "requirements_sha256", "recorder_sha256", "engine"]
)
def test_what_makes_a_run_stale(tmp_path, fact):
    the_plan = plan(tmp_path, "jax")
    [result] = train(the_plan, MadeUpEngine())
    [backend] = the_plan.backends
    assert stale_reason(the_plan, backend, MadeUpEngine()) is None
    change_facts(result.run.folder, **{fact: "other"})
    assert stale_reason(the_plan, backend, MadeUpEngine()) is not None


def test_another_image_makes_a_run_stale(tmp_path):
    the_plan = plan(tmp_path, "jax")
    [result] = train(the_plan, MadeUpEngine())
    docker = MadeUpEngine()
    docker.name = "docker"
    docker.changed_since = lambda backend, image: None if image == "the environment" else "image"
    [backend] = the_plan.backends
    change_facts(result.run.folder, engine="docker", image="the environment")
    assert stale_reason(the_plan, backend, docker) is None
    change_facts(result.run.folder, image="an older one")
    assert stale_reason(the_plan, backend, docker) == "another image"


def test_a_diverged_run_is_stale(tmp_path):
    the_plan = plan(tmp_path, "jax")
    arrays = changed("costs/train", np.nan)
    engine = MadeUpEngine(jax=lambda engine, job: good(engine, job, arrays))
    train(the_plan, engine)
    assert stale_reason(the_plan, the_plan.backends[0], engine) is not None


def test_an_error_of_the_system_is_that_backends_alone(tmp_path):
    def full(engine, job):
        raise OSError(28, "No space left on device", "/somewhere")

    results = train(plan(tmp_path, "theano", "jax"), MadeUpEngine(theano=full))
    assert [result.exit_code for result in results] == [ExitCode.CANNOT_WRITE, ExitCode.OK]
    assert "/somewhere: No space left" in results[0].problem


def test_a_damaged_or_failed_run_is_stale(tmp_path):
    the_plan = plan(tmp_path, "jax")
    [result] = train(the_plan, MadeUpEngine())
    [backend] = the_plan.backends
    (result.run.folder / "arrays.npz").write_bytes(b"PK")
    assert stale_reason(the_plan, backend, MadeUpEngine()) == "the run is damaged"
    make_run(result.run.folder, outcome="failed")
    assert stale_reason(the_plan, backend, MadeUpEngine()) == "the last run failed"


def test_a_nan_in_an_own_array_is_no_diverged_training(tmp_path):
    arrays = {**ARRAYS, "my/costs/train": np.array([1, np.nan], np.float32)}
    engine = MadeUpEngine(jax=lambda engine, job: good(engine, job, arrays))
    [result] = train(plan(tmp_path, "jax"), engine)
    assert result.exit_code is ExitCode.OK


def test_what_could_not_be_recorded_is_said(tmp_path):
    def lossy(engine, job):
        good(engine, job)
        change_facts(job.out, not_recorded={"metrics/train.odd": "it holds no numbers"})
        return Ended(0, "")

    results = train(plan(tmp_path, "jax"), MadeUpEngine(jax=lossy))
    text = StringIO()
    print_trained(Console(file=text, width=100), results)
    assert "jax: metrics/train.odd was not recorded: it holds no numbers" in text.getvalue()


@pytest.mark.parametrize("name", ["/dev/zero", "../pipe", "pipe", "a\0b", "x" * 5000, "folder"])
def test_a_module_that_no_run_has_is_not_opened(tmp_path, name):
    """Whoever wrote the run chose the names: some files never end."""
    work = tmp_path / "work"
    (work / "folder").mkdir(parents=True)
    (work / "train.py").write_text("import keras\n")
    for place in (tmp_path, work):
        os.mkfifo(place / "pipe")
    asked = replace(plan(tmp_path, "jax"), workload=from_script(work / "train.py"))
    train(asked, MadeUpEngine())
    [backend] = asked.backends
    assert stale_reason(asked, backend, MadeUpEngine()) is None
    change_facts(asked.out(backend), modules={name: "0" * 64})
    assert stale_reason(asked, backend, MadeUpEngine()) == "another module beside the script"
    change_facts(asked.out(backend), modules={name: None})
    assert stale_reason(asked, backend, MadeUpEngine()) is not None
