"""Every backend's runs have a trail, the same for the same run, and it parts where the run does."""

import json

import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS

SCRIPT = """
import sys
import numpy as np

np.random.seed(int(open("seed.txt").read()))
import keras
from keras.layers import BatchNormalization, Dense, Dropout
from keras.models import Sequential

x = np.random.rand(12, 3).astype("float32")
y = np.random.rand(12, 1).astype("float32")
kind = sys.argv[1]
if kind == "datum":
    y[7, 0] += 1
model = Sequential([Dense(4, input_shape=(3,)), BatchNormalization(), Dropout(0.5), Dense(1)])
optimizer = "adam" if kind == "optimizer" else "sgd"
model.compile(loss="mae" if kind == "loss" else "mse", optimizer=optimizer)
if kind == "weight":
    kernel, bias = model.layers[0].get_weights()
    kernel[0, 0] += 1
    model.layers[0].set_weights([kernel, bias])
for step in range(6):
    model.train_on_batch(x, y)
    if kind == "update" and step == 4:
        kernel, bias = model.layers[3].get_weights()
        model.layers[3].set_weights([kernel + 1, bias])


def batches():
    while True:
        yield x[:6], y[:6]


(model.fit_generator if hasattr(model, "fit_generator") else model.fit)(
    batches(), steps_per_epoch=4, epochs=1, verbose=0
)
model.predict(x)
"""


@pytest.fixture
def trail_of(scripts):
    (scripts.folder / "seed.txt").write_text("3")

    def record(backend, kind="as it is"):
        recorded = scripts.record(backend, scripts.write(SCRIPT), kind)
        assert recorded.status == 0, recorded.output
        document = json.loads((recorded.out / contract.TRAIL).read_text())
        assert (document["schema_version"], document["left_out"]) == (1, 0)
        return document["links"]

    return record


def shown(link):
    return {name: value for name, value in link.items() if name in ("kind", "step", "argument")}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_trail_parts_where_its_run_does(backend, trail_of):
    links = trail_of(backend)
    assert trail_of(backend) == links
    at = [link["at"] for link in links if link["kind"] == "generators"]
    assert at[0] == "the script's first line"
    assert at[-1] == "the end"
    assert {"model 1 is made", "the first training begins", "import keras"} < set(at)
    [file] = [link for link in links if link["kind"] == "file"]
    assert (file["path"], file["bytes"]) == ("seed.txt", 1)
    weights = [link for link in links if link["kind"] == "weights"]
    assert [link["step"] for link in weights] == [1, 2, 4, 8]
    assert len(weights[0]["weights"]) == 8
    calls = {(link["call"], link["argument"]) for link in links if link["kind"] == "data"}
    fit = "fit" if backend not in ("theano", "tensorflow1") else "fit_generator"
    argument = "x" if fit == "fit" else "generator"
    batches = {(fit, f"{argument}/0"), (fit, f"{argument}/1")}
    assert calls == {("train_on_batch", "x"), ("train_on_batch", "y"), ("predict", "x")} | batches

    first = {}
    for kind in ("datum", "weight", "loss", "optimizer", "update"):
        changed = trail_of(backend, kind)
        first[kind] = next(
            shown(link) for link in changed if link["kind"] != "generators" and link not in links
        )
    assert first == {
        "datum": {"kind": "data", "step": 0, "argument": "y"},
        "weight": {"kind": "weights", "step": 0},
        "loss": {"kind": "cost", "step": 1},
        "optimizer": {"kind": "weights", "step": 1},
        "update": {"kind": "weights", "step": 8},
    }


def test_jax_draws_while_it_is_imported_and_it_is_told_from_what(trail_of):
    [link] = [link for link in trail_of("jax") if link.get("at") == "import jax"]
    assert link["drew"] == {"numpy.random": 10}
    assert link["moved"] == ["numpy.random"]
