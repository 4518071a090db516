"""keras-repro parity: models of every form, what parts besides a layer, and errors."""

import re

import numpy as np
import pytest

from keras_repro.runs.run import read_run
from tests.conftest import without_progress
from tests.recorder.compared import compare
from tests.recorder.minimal_scripts import run_all, write_for

pytestmark = pytest.mark.shares

FORMS = """
import numpy as np
import keras
from keras import layers as L

left, right = keras.Input((4,)), keras.Input((4,))
shared = L.Dense(5, activation="tanh", name="shared")
inner = keras.Sequential([keras.Input((5,)), L.Dense(3, name="inside"), L.LeakyReLU(0.3)])
joined = L.Concatenate()([inner(shared(left)), inner(shared(right))])
model = keras.Model([left, right], L.Dense(1)(joined), name="nested")
model.compile(loss="mse", optimizer="adam")
x = np.random.rand(24, 8).astype("float32")
model.fit([x[:, :4], x[:, 4:]], x[:, :1], batch_size=8, epochs=2, verbose=0)


class Net(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
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


@pytest.fixture(scope="module")
def forms(tmp_path_factory, server, engine):
    script = tmp_path_factory.mktemp("forms") / "forms.py"
    script.write_text(FORMS)
    compared = compare(server, engine, script, "torch", "jax")
    assert compared.done.returncode == 0, compared.done.stdout + compared.done.stderr
    return compared


def test_nested_and_shared_layers_are_walked_in_the_graphs_order(forms):
    said, found = forms.again(("nested",)), forms.layers("nested")
    assert said.returncode == 0, said.stdout + said.stderr
    places = list(found)
    assert [place for place in places if "(call 2)" in place and "inside" not in place]
    assert sum("sequential" in place for place in places) == 4
    assert all(layer.verdict == "agrees" for layer in found.values())


def test_a_model_without_a_graph_and_a_generator(forms):
    said, found = forms.again(("subclassed",)), forms.layers("subclassed")
    assert said.returncode == 0, said.stdout + said.stderr
    assert [layer.class_name for layer in found.values()] == ["Embedding", "LSTM", "Dense"]
    assert "3 layers agree" in said.stdout


SMALL = """
import numpy as np
import keras
from keras.layers import Dense, UpSampling2D
from keras.models import Sequential

torch = keras.backend.backend() == "torch"
for name in ("shape", "data", "loss", "optimizer", "later"):
    what = name if torch else ""
    x = np.random.RandomState(5 if what == "data" else 4).rand(8, 3).astype("float32")
    units = 5 if what == "shape" else 4
    model = Sequential([Dense(units, input_shape=(3,)), Dense(1)], name=name)
    rate = 0.11 if what == "optimizer" else 0.1
    model.compile(loss="mae" if what == "loss" else "mse", optimizer=keras.optimizers.SGD(rate))
    for step in range(10 if name == "later" else 3):
        if what == "later" and step == 2:
            model.optimizer.learning_rate = 1e-5
        model.train_on_batch(x, x[:, :1])

# Bicubic interpolation is another one in PyTorch.
i = keras.Input((5, 5, 1))
model = keras.Model(i, UpSampling2D(2, interpolation="bicubic")(i), name="bicubic")
model.predict(np.random.RandomState(0).rand(2, 5, 5, 1).astype("float32"), verbose=0)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory, server, engine):
    script = tmp_path_factory.mktemp("small") / "small.py"
    script.write_text(SMALL)
    return compare(server, engine, script, "jax", "torch")


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("shape", 4, "layer 0.dense (Dense): its weight 0 has shape (3, 5), and the reference's"),
        ("data", 4, "is not the reference's: the script makes other data"),
        ("loss", 1, "in the loss, and in no layer"),
        ("optimizer", 1, "in the first step: its cost after it differs"),
    ],
)
def test_what_else_may_part(what, code, words, small):
    said = small.again((what,))
    assert said.returncode == code, said.stdout + said.stderr
    assert words in " ".join(said.stdout.split())


def test_what_parts_after_the_first_batch(small):
    done = small.again(("later",))
    assert done.returncode == 1, done.stdout + done.stderr
    assert {layer.verdict for layer in small.layers("later").values()} == {"agrees"}
    said = " ".join(done.stdout.split())
    assert "after the first batch, whose layers, loss and gradients agree: the costs part" in said
    assert re.search(r"from step 3 on by [\d.e-]+; look at what the script does between", said)


def test_what_parity_differentiates_is_no_step_of_the_script(small):
    for backend in ("jax", "torch"):
        assert read_run(small.folder / backend).facts.steps == 4 * 3 + 10


def test_the_gravest_of_what_parts_is_the_whole_runs(small):
    assert small.done.returncode == 4, small.done.stdout + small.done.stderr
    assert small.done.stdout.strip().splitlines()[-1].startswith("torch: the first batch (")


def test_the_minimal_script_shows_the_same_difference(small, engine):
    """By all that differs, and by its gradients alone."""
    said = small.again(("bicubic",), "-o", "p.html")
    assert said.returncode == 1, said.stdout + said.stderr
    [layer] = small.layers("bicubic").values()
    folder = small.script.with_name("p-layers")
    [script] = folder.glob("*.py")
    finding = next(x for x in layer.findings if x.kind == "input_gradient")
    assert not write_for(small, layer, finding, folder, "jax-torch-gradient")
    here, there = (run_all(engine, folder, backend) for backend in ("jax", "torch"))
    assert set(here) == set(there) == {script.name, "jax-torch-gradient.py"}
    assert max(here.values()) < 1e-5, here  # as another processor computes it
    assert min(there.values()) > 1e-2, there


def test_bad_input(keras_repro, tmp_path):
    (tmp_path / "any.py").write_text("")
    for arguments, words in (
        (("--reference", "caffe"), "no backend 'caffe'"),
        (("--reference", "jax", "--against", "jax"), "is the reference itself"),
        ((), "--reference"),
        (("--reference", "jax", "--rtol", "-1"), "write a number from 0 up"),
    ):
        done = keras_repro("parity", "any.py", *arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(without_progress(done.stderr)) == 1, done.stderr


def test_a_failing_reference_is_said(keras_repro, tmp_path, engine):
    (tmp_path / "fails.py").write_text("raise ValueError('not today')\n")
    sides = ("--reference", "jax", "--against", "torch", "--engine", engine)
    done = keras_repro("parity", "fails.py", *sides)
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
