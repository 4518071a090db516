"""What a script needs of Debian and of Python besides is in an image of its own."""

import json

import pytest

from keras_repro import backends
from keras_repro.engines.images import image_name
from tests.containers.test_facts import of_dpkg

pytestmark = pytest.mark.docker

PLOT = """
import keras
try:
    from keras.utils import plot_model
except ImportError:
    from keras.utils.vis_utils import plot_model
import numpy as np

x = np.linspace(-1, 1, 32).reshape(-1, 1)
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(1,))])
model.compile(loss="mse", optimizer="sgd")
plot_model(model, to_file="model.png", show_shapes=True)
model.fit(x, x, verbose=0)
"""
GIVEN = ("--requirements", "requirements.txt", "--system-package", "graphviz")


@pytest.fixture
def train(keras_repro, tmp_path, a_backend):
    """Train a script that plots its model; return the command's end, and the run's facts."""
    (tmp_path / "train.py").write_text(PLOT)
    (tmp_path / "requirements.txt").write_text("pydot\n")

    def run(*options):
        done = keras_repro("train", "train.py", "--backend", a_backend, "--engine=docker", *options)
        facts = tmp_path / "artifacts" / "train" / a_backend / "run.json"
        return done, json.loads(facts.read_text()) if facts.is_file() else None

    return run


def test_a_model_is_plotted(train, tmp_path, a_backend):
    done, facts = train(*GIVEN[:2])
    assert done.returncode == 4
    assert facts["hint"] == "Graphviz is missing: give it with --system-package graphviz"
    done, facts = train(*GIVEN)
    assert done.returncode == 0, done.stderr
    picture = tmp_path / "artifacts" / "train" / a_backend / "files" / "model.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert facts["files"] == {"model.png": picture.stat().st_size}
    assert facts["system_packages"] == ["graphviz"]
    assert facts["debian_packages"] == of_dpkg(facts["image"])
    assert "graphviz" in facts["debian_packages"]
    assert "pydot" in facts["packages"]
    # The backend's own image is as it was, and the run is one of this one.
    assert "graphviz" not in of_dpkg(image_name(backends.load()[a_backend]))
    assert "up to date" in train(*GIVEN, "--if-needed")[0].stdout
    assert "up to date" not in train("--if-needed")[0].stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("no-such-package", "there is no package no-such-package in Debian"),
        ("l.+", "there is no package l.+ in Debian"),  # to apt-get, a pattern
        ("graphviz=0.1", "Version '0.1' for 'graphviz' was not found"),
    ],
)
def test_what_debian_does_not_have_is_said_in_one_line(train, asked, said):
    done, facts = train("--system-package", asked)
    assert (done.returncode, facts) == (2, None)
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if said in line]
    assert line.endswith("; mend the name or the version")
