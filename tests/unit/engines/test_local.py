"""Local environments: what still runs when the engine is left is ended."""

import threading
import time

import pytest

from keras_repro import backends
from keras_repro.engines import Job, local
from keras_repro.engines.local import LocalEngine
from keras_repro.errors import StoppedError
from keras_repro.project.workload import builtin

[JAX] = backends.select(("jax",))


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A run that takes a minute, in an environment that has nothing else."""
    monkeypatch.setattr(local, "user_cache_path", lambda name: tmp_path / "cache")
    python = local.environment_folder(JAX) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 60\n")
    python.chmod(0o755)
    return Job(JAX, builtin("regression", ""), tmp_path, "jax")


def test_leaving_the_engine_ends_what_it_runs(job, tmp_path):
    ended = []
    engine = LocalEngine()
    thread = threading.Thread(target=lambda: ended.append(engine.run(job, lambda phase: None)))

    def leave_early():
        with engine:
            thread.start()
            until = time.monotonic() + 20
            while not (tmp_path / "started").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave_early()
    thread.join(20)
    assert [one.status for one in ended] == [-2]  # SIGINT
    with pytest.raises(StoppedError):
        engine.run(job, lambda phase: None)


def test_the_lock_tells_all_of_an_environment():
    assert LocalEngine().changed_since(JAX, "whatever a run recorded") is None
