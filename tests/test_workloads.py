"""The workloads that come with keras-repro, each on every backend, against its baseline."""

import tomllib

import pytest

from keras_repro.project.workload import BUILTIN, builtin_names
from keras_repro.runs import baselines
from tests.conftest import BACKENDS, ROOT

CONFIG = ROOT / "src" / "keras_repro" / "workloads" / "keras-repro.toml"
NAMES = sorted(set(builtin_names()) - {"regression"})  # which has a test of its own


def test_each_is_in_the_configuration():
    tables = tomllib.loads(CONFIG.read_text())["workloads"]
    assert sorted(tables) == builtin_names()
    assert {table["script"] for table in tables.values()} == {f"{name}.py" for name in tables}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_its_numbers_are_those_of_its_baseline(name, backend, engine, keras_repro):
    """Trained from the same sources by which the baseline was made; by make train, or here."""
    stored = baselines.read_baseline(ROOT / "baselines" / name / backend)
    assert not stored.edited
    options = ("--backend", backend)
    train = ("train", name, "--if-needed", *options, "--artifacts", "artifacts", "--engine", engine)
    done = keras_repro("--config", CONFIG, *train, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    places = ("--artifacts", "artifacts", "--baselines", "baselines")
    done = keras_repro("--config", CONFIG, "check", name, *options, *places, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("backend", ["theano", "jax"])
def test_a_learning_rate_that_changed_is_caught(backend, engine, keras_repro, tmp_path):
    text = (BUILTIN / "custom_step.py").read_text()
    assert "RATE = 0.05" in text
    (tmp_path / "custom_step.py").write_text(text.replace("RATE = 0.05", "RATE = 0.0501"))
    options = ("--backend", backend)
    done = keras_repro("train", "custom_step.py", *options, "--engine", engine)
    assert done.returncode == 0, done.stdout + done.stderr
    done = keras_repro("check", "custom_step.py", *options, "--baselines", ROOT / "baselines")
    assert done.returncode == 1
    assert "costs/train first differs after step 0" in done.stdout
