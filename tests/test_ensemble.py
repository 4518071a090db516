"""Ensembles of a small script through the command line, with a real framework."""

import json

import pytest

SCRIPT = """\
import keras
SEEDS
import numpy as np

x = np.random.normal(size=(64, 3))
y = x.sum(1, keepdims=True)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, y, epochs=2, verbose=0)
model.evaluate(x, y, verbose=0)
"""
EVERYTHING = "keras.utils.set_random_seed(7)"
DATA = "import numpy; numpy.random.seed(7)"
OPTIONS = ("--backend", "jax", "--engine", "local", "--seeds", "3")


@pytest.fixture
def ensemble(keras_repro, tmp_path):
    """Return how `ensemble` ends on a script that seeds this itself."""

    def run(seeds, *words):
        (tmp_path / "small.py").write_text(SCRIPT.replace("SEEDS", seeds))
        return keras_repro("ensemble", "small.py", *OPTIONS, *words)

    return run


def test_a_script_that_seeds_its_data(ensemble, keras_repro, tmp_path):
    done = ensemble(DATA, "--accept", "--yes", "--reason", "what is to be expected")
    assert done.returncode == 0, done.stderr
    said = "for all 3 seeds, since small.py:2 seeds NumPy; initial weights differ"
    assert f"the data are the same {said}" in done.stdout
    kept = json.loads((tmp_path / "baselines/small/jax/ensemble.json").read_text())
    assert kept["history"][-1]["reason"] == "what is to be expected"
    assert len(set(kept["scalars"]["costs/test"]["values"])) == 3
    assert ensemble(DATA).stdout.count("known") == 4  # of each seed, and of all
    done = keras_repro("equivalent", "small.py", "--backend", "jax")
    assert done.returncode == 0
    assert "each of the 3 seeds gives the same numbers on both sides" in done.stdout
    done = keras_repro("check", "small.py", "--ensemble")
    assert done.returncode == 0, done.stderr
    assert "small on jax: by chance or not?" in done.stdout


def test_a_script_that_seeds_everything(ensemble, tmp_path):
    done = ensemble(EVERYTHING, "--accept", "--yes", "--reason", "what is to be expected")
    assert done.returncode == 1
    assert "all 3 are the same run, bit for bit" in done.stdout
    assert "small.py:2 seeds all generators" in done.stdout
    assert "nothing was accepted: every seed is the same run" in done.stderr
    assert not (tmp_path / "baselines").exists()
    done = ensemble(EVERYTHING, "--vary-own-seeds")
    assert done.returncode == 0, done.stderr
    assert "the data are others for each seed; initial weights differ" in done.stdout
    last = json.loads((tmp_path / "artifacts/small/jax.ensemble.json").read_text())
    assert last["origin"]["vary_own_seeds"] is True
    assert len(set(last["scalars"]["costs/test"]["values"])) == 3


def test_six_seeds_are_made_in_forks_and_three_of_them_alone_too(ensemble, tmp_path):
    done = ensemble(DATA, "--seeds", "6")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "3 seeds were run in processes forked from one that had imported" in said
    assert "were run alone too, and every bit is the same" in said
    runs = [json.loads(path.read_text()) for path in (tmp_path / "artifacts").rglob("run.json")]
    assert sorted(run.get("forked", False) for run in runs) == [False] * 3 + [True] * 3
    assert ensemble(DATA, "--seeds", "6").stdout.count("known") == 7
