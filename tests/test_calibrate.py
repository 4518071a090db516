"""Tolerances measured with a real framework: rounding passes, another computation does not."""

import json

SCRIPT = """\
import numpy as np
import keras

random = np.random.default_rng(3)
x = random.normal(size=(64, 8)).astype("float32")
y = x[:, :1] * x[:, 1:2]
model = keras.Sequential([keras.layers.Dense(16, "tanh"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.optimizer.learning_rate.assign(RATE)
model.fit(x, y, batch_size=16, epochs=10, verbose=0)
model.predict(x, verbose=0)
"""
OPTIONS = ("--backend", "jax", "--engine", "local")
MEASURE = ("--only", "ulps*", "--rounding", "8", "--no-plants", "--yes", "--reason", "measured")


def test_a_training(keras_repro, tmp_path):
    script = tmp_path / "small.py"

    def run(rate, *words):
        script.write_text(SCRIPT.replace("RATE", rate))
        return keras_repro("train", "small.py", *OPTIONS, *words)

    assert run("0.01").returncode == 0
    accept = ("accept", "small.py", "--backend", "jax", "--yes", "--reason", "first")
    assert keras_repro(*accept).returncode == 0
    done = keras_repro("calibrate", "small.py", *OPTIONS, *MEASURE)
    assert done.returncode == 0, done.stderr
    assert "from 8 variations that move the numbers, each in its own way" in done.stdout
    facts = json.loads((tmp_path / "baselines/small/jax/baseline.json").read_text())
    costs = facts["calibration"]["envelopes"]["costs/train"]
    assert 0 < costs["bounds"][-1] < 1e-4
    assert facts["history"][-1]["reason"] == "measured"

    check = ("check", "small.py", "--backend", "jax", "-v")
    assert run("0.01", "--ulps", "77").returncode == 0
    done = keras_repro(
        *check, "--only", "weights/*", "--only", "costs/*", "--only", "predictions/*"
    )
    assert done.returncode == 0, done.stdout
    assert "what differs is within what rounding does here" in done.stdout
    assert run("0.0100001").returncode == 0
    done = keras_repro(*check)
    assert done.returncode == 1
    assert "beyond what rounding does here: " in done.stdout
    assert " times as far" in done.stdout
