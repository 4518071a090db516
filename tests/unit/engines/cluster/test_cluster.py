"""Runs on a real cluster of worker processes, which are killed, hang, and come back."""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

if os.environ.get("KERAS_REPRO_TEST_AS") == "darwin":
    # There psutil, which Dask needs, asks the system itself; what it has here is /proc.
    pytest.skip("Dask reads /proc on Linux", allow_module_level=True)

import dask

from keras_repro import backends
from keras_repro.engines.cluster.address import Address
from keras_repro.engines.cluster.engine import DaskEngine
from keras_repro.engines.select import select
from keras_repro.errors import ExitCode, UnavailableError, UsageError
from keras_repro.project.conditions import Data
from keras_repro.project.workload import builtin
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.ensemble import Asked, ensemble
from keras_repro.studies.train.plan import Plan
from keras_repro.studies.train.train import train

JAX = backends.load()["jax"]
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # Dask's own


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def engine(log, tmp_path_factory):
    """Return an engine with four workers, each with caches of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MADE_UP_LOG", str(log))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("caches")))
        with dask.config.set(
            {"distributed.worker.preload": ["tests.unit.engines.cluster.made_up"]}
        ):
            found = DaskEngine(Address(workers=4))
            assert found.problem() is None
            with found:
                yield found


@pytest.fixture
def place(tmp_path):
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def having(place, *args, **conditions):
    of = place.of
    return replace(place, of=replace(of, args=args, conditions=of.conditions.having(**conditions)))


def trained(place, engine):
    [[one]] = train([Plan(place.of, [JAX], place.artifacts)], engine, lambda entries: None)
    return one


def worker_pids(engine):
    return list(engine._client.run(os.getpid).values())


def test_what_it_is(engine):
    assert engine.name == "local"
    assert engine.title == "dask, 4 workers at this machine, each with local environments"
    assert engine.slots == 4


def test_a_run_is_what_it_is_on_this_machine(engine, place):
    one = trained(place, engine)
    assert (one.exit_code, one.problem) == (ExitCode.OK, "")
    value = np.random.RandomState(1337).normal()
    assert one.run.arrays["costs/test"].load() == [np.float32(value)]
    one.run.check_arrays()
    assert trained(place, engine).repeats


def test_each_of_200_seeds_once_while_workers_are_killed(engine, place, tmp_path):
    asked = Asked(having(place, "slow"), JAX, 200, engine.slots)
    done, killed = threading.Event(), []

    def kill():
        chance = random.Random(1)
        while not done.wait(1.0):
            with suppress(Exception):
                pids = worker_pids(engine)
                if len(pids) > 2:  # else those that start anew would be killed before they have
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    killed.append(len(pids))

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        result = ensemble(asked, engine)
    finally:
        done.set()
        thread.join()
    assert len(killed) >= 3
    assert result.exit_code is ExitCode.OK
    assert Counter(one.seed for one in result.seeds) == Counter(range(1337, 1537))
    expected = [float(np.float32(np.random.RandomState(s).normal())) for s in range(1337, 1537)]
    assert result.facts.scalars["costs/test"].values == expected
    assert not list(tmp_path.rglob("*.partial"))


def test_what_was_made_is_not_made_again(engine, place, log):
    place = having(place, seed=5_000)
    ensemble(Asked(place, JAX, 4, 4), engine)
    ensemble(Asked(place, JAX, 8, 4), engine)
    made = Counter(name.name.split("-")[0] for name in log.iterdir())
    assert [made[str(seed)] for seed in range(5_000, 5_008)] == [1] * 8


def test_a_run_that_kills_its_workers_ends_with_its_cause_and_the_rest_goes_on(engine, place, log):
    bad = threading.Thread(
        target=lambda: ends.append(trained(having(place, "poison", seed=7), engine))
    )
    ends = []
    bad.start()
    good = ensemble(Asked(having(place, "slow", seed=6_000), JAX, 8, 3), engine)
    bad.join()
    assert good.exit_code is ExitCode.OK
    assert ends[0].exit_code is ExitCode.RUN_FAILED
    assert "3 workers died, one after the other" in ends[0].problem
    assert sum(name.name.startswith("7-") for name in log.iterdir()) == 3


def test_a_failed_run_says_why_and_takes_no_good_ones_place(engine, place):
    trained(place, engine)
    one = trained(having(place, "fails"), engine)
    assert one.exit_code is ExitCode.RUN_FAILED
    assert "ValueError: no" in one.problem
    assert (place.artifacts / "regression/jax.failed/run.json").exists()
    assert trained(place, engine).exit_code is ExitCode.OK
    assert not (place.artifacts / "regression/jax.failed").exists()


def test_data_go_to_the_workers(engine, place, tmp_path):
    for name, content in {
        "data/in/a": "1",
        "data/in/.b": "2",
        "c.txt": "4",
        "d/factor": "8",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "data" / "link").symlink_to(tmp_path / "c.txt")  # is left out
    data = (Data("in", tmp_path / "data"), Data("../c.txt", tmp_path / "c.txt"))
    one = trained(having(place, data=data, datasets=tmp_path / "d"), engine)
    assert (one.exit_code, one.problem) == (ExitCode.OK, "")
    value = (np.random.RandomState(1337).normal() + 7) * 8
    assert one.run.arrays["costs/test"].load() == [np.float32(value)]


def test_data_at_an_absolute_path_need_a_container(engine, place, tmp_path):
    (tmp_path / "data").mkdir()
    absolute = Data(str(tmp_path / "data"), tmp_path / "data")
    one = trained(having(place, data=(absolute,)), engine)
    assert one.exit_code is ExitCode.USAGE
    assert f"a worker without Docker cannot show data at {tmp_path}/data; name" in one.problem


def test_stopping_ends_what_runs_on_the_workers(log, place, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MADE_UP_LOG", str(log))
        with (
            dask.config.set({"distributed.worker.preload": ["tests.unit.engines.cluster.made_up"]}),
            select("dask=1")[0] as engine,
        ):
            ends = []
            place = having(place, "forever", seed=8)
            thread = threading.Thread(target=lambda: ends.append(trained(place, engine)))
            thread.start()
            while not any(name.name.startswith("8-") for name in log.iterdir()):
                assert not thread.join(0.1)
            engine.stop()
            thread.join(20)
            assert not thread.is_alive()
            assert ends[0].exit_code is ExitCode.INTERRUPTED
    with pytest.raises(UnavailableError, match="was left"):
        engine.slots  # noqa: B018


def test_no_cluster_is_said():
    with pytest.raises(UnavailableError, match=r"no Dask cluster at tcp://127\.0\.0\.1:1"):
        select("dask=tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    "name", ["dask=tcp://10.0.0.1:8786", "dask=x", "dask=0", "dask=", "dask=9999"]
)
def test_an_address_that_anybody_could_use_or_none_is_refused(name):
    with pytest.raises(UsageError, match="dask"):
        select(name)
