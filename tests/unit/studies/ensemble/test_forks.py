"""Seeds in forks: some are made alone too, and where these part, all are."""

import shutil

import numpy as np
import pytest

from keras_repro import backends
from keras_repro.engines import Ended, Serving
from keras_repro.project.workload import builtin
from keras_repro.recorder.contract import EXIT_NOT_FORKED
from keras_repro.report.ensemble.words import forks as said
from keras_repro.runs.run import read_run
from keras_repro.studies import prune
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.ensemble import Asked, ensemble
from tests.unit.made import ARRAYS, change_facts
from tests.unit.studies.train.test_train import MadeUpEngine, fails, good

[JAX] = backends.select(("jax",))
TEST = "costs/test"


class ServingEngine(MadeUpEngine):
    """Makes runs in forks; ``in_fork`` stands for what the script does there."""

    def __init__(self, in_fork=None, alone=None):
        super().__init__(jax=alone or computes)
        self.in_fork = in_fork or computes
        self.served = []
        self.places = set()  # a recorder makes the runs of one alone
        self.begun = 0  # recorders of one run
        self.let_go_of = 0

    def run(self, job, say):
        self.begun += 1
        return super().run(job, say)

    def serve(self, job, alone, say):
        with self.lock:
            self.served.append((job.workload.conditions.seed, alone))
            self.places.add(job.artifacts)
        ended = super().run(job, say) if alone else self.in_fork(self, job)
        if ended.status == 0:
            change_facts(job.out, forked=not alone, packages={})
        return ended

    def let_go(self):
        self.let_go_of += 1


def computes(engine, job, more=0.0):
    cost = 1 + np.random.RandomState(job.workload.conditions.seed).normal() + more
    return good(engine, job, {**ARRAYS, TEST: np.array([cost], np.float32)})


@pytest.fixture
def place(tmp_path):
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def run(place, engine, count=8, jobs=2):
    return ensemble(Asked(place, JAX, count, jobs), engine)


def test_three_are_made_alone_too_and_the_rest_in_forks_alone(place):
    engine = ServingEngine()
    assert isinstance(engine, Serving)
    result = run(place, engine)
    alone = [seed for seed, is_alone in engine.served if is_alone]
    assert {1337, 1344} < set(alone)
    assert len(set(alone)) == len(alone) == 3
    assert sorted(seed for seed, is_alone in engine.served if not is_alone) == result.facts.seeds
    kept = {one.seed: one.run.facts.forked for one in result.seeds}
    assert kept == {seed: seed not in alone for seed in result.facts.seeds}
    words = said(result)
    assert words.startswith("5 seeds were run in processes forked from one that had imported")
    assert (
        f"seeds 1337, {sorted(alone)[1]} and 1344 were run alone too, and every bit is the same"
        in words
    )
    assert (engine.begun, engine.let_go_of) == (0, 1)
    left = [path.name for path in place.artifacts.rglob("*.forked")]
    assert left == []


def test_what_is_tried_in_another_environment_is_made_by_one_recorder_too(
    place, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    engine = ServingEngine()
    result = ensemble(Asked(place, JAX, 8, as_trials=True), engine)
    assert len(engine.places) == 1
    assert (len(result.forks.verified), len(result.forks.made)) == (3, 5)
    assert prune.kept([]).runs == len({one.run.folder for one in result.seeds}) == 8
    engine = ServingEngine()
    again = ensemble(Asked(place, JAX, 8, as_trials=True), engine)
    assert engine.served == []
    assert again.facts.scalars == result.facts.scalars


def test_what_stands_is_not_run_again_and_verifies_nothing(place):
    run(place, ServingEngine())
    engine = ServingEngine()
    result = run(place, engine)
    assert engine.served == []
    assert said(result) == ""
    engine = ServingEngine()
    result = run(place, engine, count=14)
    assert len([seed for seed, is_alone in engine.served if is_alone]) == 3
    assert len(result.forks.verified) == len(result.forks.made) == 3
    assert len(result.facts.seeds) == 14


def test_where_a_bit_differs_all_are_made_alone(place):
    engine = ServingEngine(in_fork=lambda engine, job: computes(engine, job, 1e-6))
    result = run(place, engine)
    assert not any(one.run.facts.forked for one in result.seeds)
    assert "each seed was run in a process that began anew: of seed" in said(result)
    assert f"{TEST} is another in a process that had imported before" in said(result)


def test_where_a_bit_differs_later_what_was_forked_is_made_anew(place):
    def in_fork(engine, job):
        later = job.workload.conditions.seed not in (1337, 1348)
        return computes(engine, job, 1e-6 if later else 0.0)

    result = run(place, ServingEngine(in_fork), count=12)
    assert len(result.facts.seeds) == 12
    assert not any(one.run.facts.forked for one in result.seeds)
    expected = [1 + np.random.RandomState(seed).normal() for seed in result.facts.seeds]
    assert result.facts.scalars[TEST].values == pytest.approx(expected, rel=1e-7)
    assert "each seed was run in a process that began anew: of seed" in said(result)


def test_where_none_can_be_forked_all_are_made_alone(place):
    refused = Ended(EXIT_NOT_FORKED, "no process is forked for it: importing numpy starts a thread")
    engine = ServingEngine(in_fork=lambda engine, job: refused)
    result = run(place, engine)
    assert not any(one.run.facts.forked for one in result.seeds)
    assert len(result.facts.seeds) == 8
    assert "importing numpy starts a thread" in said(result)


def test_one_that_cannot_be_forked_later_is_made_alone(place):
    def in_fork(engine, job):
        if len(engine.served) > 8:
            return Ended(EXIT_NOT_FORKED, "the process that forks has ended")
        return computes(engine, job)

    result = run(place, ServingEngine(in_fork), count=12, jobs=1)
    assert len(result.facts.seeds) == 12
    assert not result.failed
    assert "the process that forks has ended" in said(result)
    assert said(result).startswith("2 seeds were run in processes forked")


def test_a_seed_that_fails_in_a_fork_alone_is_made_alone(place):
    def in_fork(engine, job):
        return (fails if job.workload.conditions.seed == 1341 else computes)(engine, job)

    result = run(place, ServingEngine(in_fork), count=40, jobs=1)
    assert not result.failed
    of_the_seed = {one.seed: one.run.facts.forked for one in result.seeds}
    assert not of_the_seed[1341]
    if 1341 not in result.forks.verified:
        assert "seed 1341 fails in a fork alone: ValueError: no" in said(result)


def test_nothing_is_made_in_a_fork_alone_before_three_are_the_same(place):
    """So nothing is to be taken back, not even where all is killed in between."""
    for jobs in (1, 2):
        engine = ServingEngine()
        run(Place(place.of, place.artifacts / str(jobs), place.baselines), engine, 12, jobs)
        assert len({seed for seed, _ in engine.served[:6]}) == 3


def test_what_one_that_was_killed_has_left_is_removed(place):
    first = run(place, ServingEngine(), count=6)
    beside = first.seeds[0].run.folder
    left = beside.with_name(f"{'0' * 16}.forked")
    shutil.copytree(beside, left)
    left.with_name(f".{'1' * 16}.forked.partial").mkdir()
    left.with_name(f".{'0' * 16}.forked.lock").touch()
    elsewhere = place.artifacts / "elsewhere"
    shutil.copytree(beside, elsewhere)
    left.with_name(f"{'2' * 16}.forked").symlink_to(elsewhere)
    run(place, ServingEngine(), count=12)
    names = [path.name for path in beside.parent.iterdir() if ".forked" in path.name]
    assert names == [f"{'2' * 16}.forked"]
    assert read_run(elsewhere).facts.completed


def test_a_fork_that_fails_where_the_run_alone_does_not(place):
    result = run(place, ServingEngine(in_fork=fails))
    assert len(result.facts.seeds) == 8
    assert not result.failed
    assert "ValueError: no" in said(result)


@pytest.mark.parametrize("change", [{"hermetic": True}, {"surroundings": {"umask": "077"}}])
def test_no_forks_where_the_surroundings_are_changed_before_the_imports(place, change):
    of = place.of
    changed = builtin("regression", "")
    object.__setattr__(changed, "conditions", of.conditions.having(**change))
    other = Place(changed, place.artifacts, place.baselines)
    engine = ServingEngine()
    run(other, engine)
    assert engine.served == []


def test_no_forks_for_few_seeds(place):
    engine = ServingEngine()
    run(place, engine, count=5)
    assert engine.served == []
