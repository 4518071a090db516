"""A run of the regression on jax, and its baseline."""

import pytest

from tests.unit.made import make_run

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
