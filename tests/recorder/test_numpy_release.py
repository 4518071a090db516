"""A run made with another release of NumPy: that is named as the first likely cause."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_repro import backends
from tests.conftest import DEMAND_DOCKER, ROOT

OTHER = "2.3.4"
SCRIPT = """
import numpy as np
import keras

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="sgd")
x = np.arange(8.0).reshape(4, 2)
# As where a release changed how it computes something.
y = x.sum(axis=1) * (1 + 1e-5 * int(np.__version__.replace(".", "")))
for _ in range(3):
    model.train_on_batch(x, y)
model.predict(x)
"""


def test_it_is_the_first_cause(scripts, engine, keras_repro, tmp_path):
    script = scripts.write(SCRIPT)
    first = scripts.record("jax", script)
    assert first.status == 0, first.output
    locked = first.facts["packages"]["numpy"]
    accepted = keras_repro("accept", script, "--backend", "jax", "--reason", "x", "--yes")
    assert accepted.returncode == 0, accepted.stderr

    uv, python = Path(sys.executable).with_name("uv"), backends.load()["jax"].python
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--python-version", python]
    command += ["--only-binary", ":all:", "--target", tmp_path / "other", f"numpy=={OTHER}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and not DEMAND_DOCKER:
        pytest.skip(f"numpy {OTHER} cannot be fetched here")
    assert done.returncode == 0, done.stderr

    os.chmod(tmp_path, 0o755)  # or the script would see a copy of it, elsewhere
    in_front = "/work/other:/opt/keras-repro"
    if engine == "local":
        in_front = os.pathsep.join([str(tmp_path / "other"), str(ROOT / "src")])
    second = scripts.record("jax", script, PYTHONPATH=in_front)
    assert second.status == 0, second.output
    checked = keras_repro("check", script, "--backend", "jax", "-v")
    assert "drift" in checked.stdout or "close" in checked.stdout
    assert f"likely cause: numpy {locked} -> {OTHER}" in checked.stdout
