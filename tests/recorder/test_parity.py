"""keras-repro parity: a bug in a backend is found in its layer, and none where there is none."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.studies.parity.findings import LayerParity
from keras_repro.studies.parity.judge import judge
from keras_repro.studies.parity.recorded import read_side
from tests.conftest import ROOT, without_progress

NET = ROOT / "tests" / "scripts" / "plants" / "net.py"
PLANTS = {
    "padding": "0.zero_padding2d",
    "convolution": "1.conv2d",
    "epsilon": "2.batch_normalization",
    "slope": "3.leaky_re_lu",
    "pooling": "4.max_pooling2d",
    "flatten": "5.flatten",
    "scale": "6.scale",
    "transposed kernel": "7.square",
    "activation": "7.square",
    "softmax": "10.activation",
    "one more row": "0.zero_padding2d",
}
PAIRS = {"torch3": ("jax", "torch"), "tensorflow3": ("torch", "tensorflow")}
OLD = ("theano", "tensorflow1")


@pytest.fixture
def parity(tmp_path, keras_repro, engine):
    """Compare two backends; return the process, and how each layer compares by its place."""

    def run(script, reference, against, *options, **variables):
        arguments = [f"--env={name}={value}" for name, value in variables.items()]
        sides = ("--reference", reference, "--against", against, "--engine", engine)
        done = keras_repro("parity", script.name, *sides, *arguments, *options, cwd=tmp_path)
        folder = tmp_path / "artifacts" / script.stem / "parity"
        found = {}
        if (folder / against / contract.PARITY_FACTS).exists():
            pair = [read_side(folder / name) for name in (reference, against)]
            for model in judge(*pair):
                found.update({model.prefix + layer.place: layer for layer in model.layers})
        return done, found

    return run


@pytest.fixture
def net(tmp_path):
    return shutil.copy(NET, tmp_path / "net.py") and tmp_path / "net.py"


def check_located(done, found, place):
    assert done.returncode == 1, done.stdout + done.stderr
    answer = done.stdout.strip().splitlines()[-1]
    kind = place.partition(".")[0]
    parting = [where for where, layer in found.items() if layer.parting]
    assert [where.partition(".")[0] for where in parting] == [kind], done.stdout
    assert f" parts from {done.args[done.args.index('--reference') + 1]} in {kind}." in answer


@pytest.mark.parametrize("plant", PLANTS)
def test_a_bug_is_located_at_its_layer(plant, parity, net):
    done, found = parity(net, "jax", "torch", PLANT=plant, PLANT_ON="torch3")
    assert len(found) == 11
    check_located(done, found, PLANTS[plant])


@pytest.mark.parametrize("plant", ["epsilon", "transposed kernel", "convolution"])
def test_a_bug_is_located_across_the_frameworks_of_keras_2(plant, parity, net):
    done, found = parity(net, *OLD, PLANT=plant, PLANT_ON="tensorflow2")
    check_located(done, found, PLANTS[plant])


@pytest.mark.parametrize("pair", [("jax", "tensorflow"), ("tensorflow", "torch"), OLD])
def test_nothing_parts_where_nothing_is_wrong(pair, parity, net):
    done, found = parity(net, *pair, PLANT="", PLANT_ON="none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [layer.verdict for layer in found.values()] == ["agrees"] * 11
    assert "11 layers agree" in done.stdout
    assert "switched off on both: Dropout rate of 0.5 in dropout" in done.stdout


def test_a_bug_in_the_reference_is_located_too(parity, net):
    done, found = parity(net, "jax", "torch", PLANT="slope", PLANT_ON="jax3")
    check_located(done, found, PLANTS["slope"])


def test_the_two_generations(parity, net):
    done, found = parity(net, "theano", "jax", PLANT="", PLANT_ON="none")
    agreeing = {place.partition(".")[0] for place, layer in found.items() if not layer.parting}
    assert {"0", "1", "2", "3", "5", "7", "9", "10"} <= agreeing, done.stdout


NESTED = """
import numpy as np
import keras
from keras import layers as L

left, right = keras.Input((4,)), keras.Input((4,))
shared = L.Dense(5, activation="tanh", name="shared")
inner = keras.Sequential([keras.Input((5,)), L.Dense(3, name="inside"), L.LeakyReLU(0.3)])
joined = L.Concatenate()([inner(shared(left)), inner(shared(right))])
model = keras.Model([left, right], L.Dense(1)(joined))
model.compile(loss="mse", optimizer="adam")
x = np.random.rand(24, 8).astype("float32")
model.fit([x[:, :4], x[:, 4:]], x[:, :1], batch_size=8, epochs=2, verbose=0)
"""


def test_nested_and_shared_layers_are_walked_in_the_graphs_order(parity, tmp_path):
    (tmp_path / "nested.py").write_text(NESTED)
    done, found = parity(tmp_path / "nested.py", "jax", "torch")
    assert done.returncode == 0, done.stdout + done.stderr
    places = list(found)
    assert [place for place in places if "(call 2)" in place and "inside" not in place]
    assert sum("sequential" in place for place in places) == 4
    assert all(layer.verdict == "agrees" for layer in found.values())


SUBCLASSED = """
import numpy as np
import keras
from keras import layers as L

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = L.Embedding(9, 4, mask_zero=True)
        self.recurrent = L.LSTM(3)
        self.out = L.Dense(1)

    def call(self, inputs):
        return self.out(self.recurrent(self.embed(inputs)))

def batches():
    draw = np.random.RandomState(0)
    while True:
        x = draw.randint(0, 9, (6, 5))
        yield x, x[:, :1].astype("float32")

net = Net()
net.compile(loss="mse", optimizer="sgd")
net.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)
"""


def test_a_model_without_a_graph_and_a_generator(parity, tmp_path):
    (tmp_path / "subclassed.py").write_text(SUBCLASSED)
    done, found = parity(tmp_path / "subclassed.py", "torch", "jax")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [layer.class_name for layer in found.values()] == ["Embedding", "LSTM", "Dense"]
    assert "3 layers agree" in done.stdout


SMALL = """
import os
import numpy as np
import keras
from keras.layers import Dense, Input
from keras.models import Sequential

here = keras.backend.backend() == os.environ["ON"]
np.random.seed(5 if here and os.environ["WHAT"] == "data" else 4)
x = np.random.rand(8, 3).astype("float32")
units = 5 if here and os.environ["WHAT"] == "shape" else 4
model = Sequential([Dense(units, input_shape=(3,)), Dense(1)])
rate = 0.11 if here and os.environ["WHAT"] == "optimizer" else 0.1
model.compile(loss="mse" if os.environ["WHAT"] != "loss" or not here else "mae",
              optimizer=keras.optimizers.SGD(rate))
for _ in range(3):
    model.train_on_batch(x, x[:, :1])
"""


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("shape", 4, "layer 0.dense (Dense): its weight 0 has shape (3, 5), and the reference's"),
        ("data", 4, "is not the reference's: the script makes other data"),
        ("loss", 1, "in the loss, and in no layer"),
        ("optimizer", 1, "in the first step: its cost after it differs"),
    ],
)
def test_what_else_may_part(what, code, words, parity, tmp_path):
    (tmp_path / "small.py").write_text(SMALL)
    done, _ = parity(tmp_path / "small.py", "jax", "torch", ON="torch", WHAT=what)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in " ".join(done.stdout.split())


def test_tolerances_take_the_place_of_the_reasoning(parity, net):
    done, _ = parity(net, "jax", "torch", "--rtol", "1e-12", PLANT="", PLANT_ON="none")
    assert done.returncode == 1
    assert "outside rtol 1e-12" in done.stdout
    done, _ = parity(net, "jax", "torch", "--rtol", "10", PLANT="slope", PLANT_ON="torch3")
    assert done.returncode == 0, done.stdout


def test_the_page_and_the_minimal_script(parity, net, tmp_path, engine):
    options = ("-o", "parity.html")
    done, _ = parity(net, "jax", "torch", *options, PLANT="epsilon", PLANT_ON="torch3")
    page = (tmp_path / "parity.html").read_text()
    assert "torch parts from jax in 2.batch_normalization" in page
    assert "its configuration differs: epsilon 0.001 -&gt; 0.01" in page
    [script] = (tmp_path / "parity-layers").glob("*.py")
    assert script.with_suffix(".npz").exists()
    assert f"wrote parity-layers/{script.name}" in done.stdout
    compile(script.read_text(), script.name, "exec")


@pytest.mark.docker
@pytest.mark.parametrize("kind", ["output", "gradient"])
def test_the_minimal_script_shows_the_same_difference(kind, parity, tmp_path):
    """Bicubic interpolation is another one in PyTorch; and by its gradients alone."""
    (tmp_path / "up.py").write_text(
        "import numpy as np, keras\n"
        "i = keras.Input((5, 5, 1))\n"
        "m = keras.Model(i, keras.layers.UpSampling2D(2, interpolation='bicubic')(i))\n"
        "m.predict(np.random.RandomState(0).rand(2, 5, 5, 1).astype('float32'), verbose=0)\n"
    )
    done, found = parity(tmp_path / "up.py", "jax", "torch", "-o", "p.html")
    assert done.returncode == 1, done.stdout + done.stderr
    [layer] = found.values()
    [script] = (tmp_path / "p-layers").glob("*.py")
    if kind == "gradient":
        from keras_repro.report.parity import minimal

        side = read_side(tmp_path / "artifacts" / "up" / "parity" / "jax")
        finding = next(f for f in layer.findings if f.kind == "input_gradient")
        values = {"findings": [finding]}
        only = LayerParity(**{**vars(layer), **values})
        from keras_repro import backends
        from keras_repro.errors import ExitCode
        from keras_repro.studies.parity.study import Pair

        pair = Pair(*backends.select(("jax", "torch")), ExitCode.DRIFT)
        alone = minimal.minimal_script(pair, side, only, "gradient")
        script = script.with_name("gradient.py")
        script.write_text(alone.script)
        script.with_suffix(".npz").write_bytes(alone.data)
    apart = {}
    for backend in ("jax", "torch"):
        compose = ["docker", "compose", "--project-directory", str(ROOT), "run", "--rm", "-T"]
        run = subprocess.run(
            [*compose, "--volume", f"{script.parent}:/minimal:ro", "--workdir", "/minimal"]
            + [backend, "python", script.name],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-2000:]
        name, _, figure = run.stdout.strip().splitlines()[-1].rpartition(" ")
        assert name.startswith(backend)
        apart[backend] = float(figure)
    assert apart["jax"] < 1e-5  # as another processor computes it
    assert apart["torch"] > 1e-2


def test_bad_input(keras_repro, tmp_path, net):
    for arguments, words in (
        (("--reference", "caffe"), "no backend 'caffe'"),
        (("--reference", "jax", "--against", "jax"), "is the reference itself"),
        ((), "--reference"),
        (("--reference", "jax", "--rtol", "-1"), "write a number from 0 up"),
    ):
        done = keras_repro("parity", "net.py", *arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(without_progress(done.stderr)) == 1, done.stderr


def test_a_failing_reference_is_said(parity, tmp_path):
    (tmp_path / "fails.py").write_text("raise ValueError('not today')\n")
    done, _ = parity(tmp_path / "fails.py", "jax", "torch")
    assert done.returncode == 4
    assert "ValueError: not today" in done.stdout


def test_every_layer_of_keras_2_that_carries_weights_converts_both_ways():
    from keras_repro.recorder.parity import kernel_layout

    class Conv2D:
        pass

    kernel, bias = np.arange(18.0).reshape(3, 3, 2, 1), np.ones(1)
    there = kernel_layout.converted(Conv2D(), [kernel, bias])
    assert there[0][0, 0, 0, 0] == kernel[2, 2, 0, 0]
    back = kernel_layout.converted(Conv2D(), there)
    assert all(np.array_equal(a, b) for a, b in zip(back, (kernel, bias), strict=True))


def test_the_facts_are_plain_json(parity, net, tmp_path):
    parity(net, "jax", "torch", PLANT="", PLANT_ON="none")
    facts = tmp_path / "artifacts" / "net" / "parity" / "torch" / contract.PARITY_FACTS
    assert json.loads(facts.read_text())["backend"] == "torch"
