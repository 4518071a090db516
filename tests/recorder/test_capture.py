"""What a script computes is what the run folder holds, and watching changes no bit of it."""

import json
import shutil

import numpy as np
import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS, ROOT

SCRIPTS = ROOT / "tests" / "scripts"


def copy(scripts, name):
    return shutil.copy(SCRIPTS / name, scripts.folder / name) and scripts.folder / name


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_number_the_script_was_given_is_kept(backend, scripts):
    recorded = scripts.record(backend, copy(scripts, "everything.py"))
    assert recorded.status == 0, recorded.output
    given = json.loads(recorded.log.strip().splitlines()[-1])
    costs_of_steps = [float.fromhex(text) for text in given.pop("first costs")]
    arrays = recorded.arrays
    for name, values in given.items():
        expected = [float.fromhex(text) for text in values]
        assert name in arrays, sorted(arrays)
        assert np.ravel(arrays[name]).tolist() == expected, name
    # Five steps by hand, then two epochs of three batches by fit, whose costs come by callback.
    assert arrays["costs/train"].shape == (11,)
    assert arrays["costs/train"][:5].tolist() == costs_of_steps
    assert arrays["metrics/train.mae"].shape == (11,)
    assert arrays["model3/costs/train"].shape == (2 + 4,)
    assert arrays["costs/train"].dtype == np.float32
    # Nothing that the script did not do: no evaluation that fit made by itself.
    assert arrays["costs/test"].shape == (2,)
    predictions = {name for name in arrays if "predictions/" in name}
    assert predictions == {name for name in given if "predictions/" in name}
    assert {name for name in arrays if name.startswith("initial_weights/")} == {
        f"initial_weights/{place}" for place in ("0.dense.kernel", "0.dense.bias")
    } | {f"initial_weights/{place}" for place in ("2.dense.kernel", "2.dense.bias")}


@pytest.mark.parametrize("backend", BACKENDS)
def test_watching_changes_no_bit(backend, scripts):
    script = copy(scripts, "seeded.py")
    bare = scripts.bare(backend, script)
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    [alone] = [line for line in bare.splitlines() if line.startswith("DIGEST")]
    [watched] = [line for line in recorded.log.splitlines() if line.startswith("DIGEST")]
    assert watched == alone


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_seed_decides_every_number(backend, scripts):
    text = (
        "import numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense, Dropout\n"
        "model = Sequential([Dense(3, input_shape=(2,)), Dropout(0.5), Dense(1)])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.random.rand(8, 2)\n"
        "model.fit(x, x[:, :1], epochs=2, batch_size=2, verbose=0)\n"
        "print(hash('text'))\n"
    )
    first, other = (
        scripts.record(backend, scripts.write(text, f"seed{seed}.py"), seed=seed) for seed in (1, 2)
    )
    assert first.log.splitlines()[-1] != other.log.splitlines()[-1]
    for name in ("costs/train", "initial_weights/0.dense.kernel", "weights/2.dense.kernel"):
        assert (first.arrays[name] != other.arrays[name]).all()
    assert (first.facts["seed"], other.facts["seed"]) == (1, 2)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_keras_3_in_its_corners(backend, scripts):
    """Names of several outputs' metrics, a metric that is a vector, clear_session in the middle."""
    script = scripts.write(
        "import json, numpy as np, importlib.util\n"
        "importlib.util.find_spec('keras')\n"
        "import keras\n"
        "x, y = np.random.rand(6, 2), np.random.rand(6, 1)\n"
        "inputs = keras.Input((2,))\n"
        "z = keras.layers.Dense(1, name='z')(inputs)\n"
        "a = keras.layers.Dense(1, name='a')(inputs)\n"
        "model = keras.Model(inputs, [z, a])\n"
        "model.compile(loss='mse', optimizer='sgd', metrics=[['mae'], ['mse']])\n"
        "named = model.evaluate(x, [y, 3 * y], return_dict=True, verbose=0)\n"
        "model.test_on_batch(x, [y, 3 * y])\n"
        "keras.backend.clear_session(free_memory=False)\n"
        "one_hot = np.eye(3)[[0, 1, 2, 0, 1, 2]]\n"
        "vector = keras.Sequential([keras.layers.Dense(3, activation='softmax')])\n"
        "vector.compile(loss='mse', optimizer='sgd', metrics=[keras.metrics.F1Score()])\n"
        "vector.fit(x, one_hot, batch_size=3, epochs=2, verbose=0)\n"
        "model.train_on_batch(x, [y, y])\n"
        "print(json.dumps([{k: float(v) for k, v in named.items()},\n"
        "                  [w.tolist() for w in model.get_weights()]]))\n"
    )
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    named, weights = json.loads(recorded.log.strip().splitlines()[-1])
    arrays = recorded.arrays
    for name, value in named.items():
        key = "costs/test" if name == "loss" else f"metrics/test.{name}"
        assert arrays[key].tolist() == pytest.approx([value, value], rel=1e-6), key
    assert arrays["model2/metrics/train.f1_score"].shape == (4, 3)
    assert arrays["weights/0.dense.kernel"].tolist() == weights[0]
    assert recorded.facts["not_recorded"] == {}


@pytest.mark.parametrize("backend", ["tensorflow1", "jax"])
def test_what_was_tested_and_predicted_is_kept_beside_where_it_is_small(backend, scripts):
    script = scripts.write(
        "import numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "model = Sequential([Dense(1, input_shape=(1,))])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.arange(4.0).reshape(4, 1)\n"
        "model.evaluate(x, y=2 * x, verbose=0)\n"
        "model.predict(x)\n"
        "model.predict(np.zeros((200000, 1)), batch_size=100000)\n"
        "model.predict([x])\n"
    )
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    with np.load(recorded.out / contract.INPUTS, allow_pickle=False) as given:
        assert sorted(given.files) == ["predictions/0.x", "tests/0.x", "tests/0.y"]
        assert given["tests/0.y"].tolist() == [[0], [2], [4], [6]]
    assert len(recorded.arrays["predictions/1"]) == 200000


def test_a_fork_of_the_scripts_leaves_the_record_to_its_parent(scripts, a_backend):
    """Also one that goes on to the script's end; they share a file and a position in it."""
    script = scripts.write(
        "import os, sys, numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "model = Sequential([Dense(2, input_shape=(2,))])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.random.rand(4, 2)\n"
        "model.train_on_batch(x, x)\n"
        "child = os.fork()\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    model.train_on_batch(x, x)\n"
        "else:\n"
        "    from keras_repro import record\n"
        "    record.array('only/the-childs', np.zeros(10000))\n"
        "    other = Sequential([Dense(3, input_shape=(2,))])\n"
        "    other.set_weights([np.ones((2, 3)), np.ones(3)])\n"
        "    model.train_on_batch(x, x)\n"
        "    sys.exit(0)\n"
    )
    recorded = scripts.record(a_backend, script)
    assert recorded.status == 0, recorded.output
    assert recorded.arrays.keys() == recorded.facts["arrays"].keys()
    assert recorded.facts["steps"] == len(recorded.arrays["costs/train"]) == 2
    assert not any(name.startswith(("model2/", "only/")) for name in recorded.arrays)
    assert recorded.facts["not_recorded"].keys() == {"what its processes trained"}


@pytest.mark.parametrize("backend", ["tensorflow1", "jax"])
def test_what_a_method_of_the_scripts_returns_is_kept_and_not_what_keras_gave_it(backend, scripts):
    script = scripts.write(
        "import numpy as np\n"
        "from keras.models import Model\n"
        "from keras.layers import Dense, Input\n"
        "class Halves(Model):\n"
        "    def train_on_batch(self, x, y):\n"
        "        train = super(Halves, self).train_on_batch\n"
        "        return sum(np.ravel(train(part, part))[0] for part in (x[:2], x[2:]))\n"
        "inputs = Input((2,))\n"
        "model = Halves(inputs, Dense(2)(inputs))\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.random.rand(4, 2)\n"
        "print('GIVEN', *(float(model.train_on_batch(x, x)) for _ in range(3)))\n"
    )
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    [given] = [line.split()[1:] for line in recorded.log.splitlines() if "GIVEN" in line]
    assert recorded.arrays["costs/train"].tolist() == [float(value) for value in given]


@pytest.mark.parametrize("backend", ["theano", "torch"])
def test_odd_values_of_a_scripts_callback_end_nothing(backend, scripts):
    script = scripts.write(
        "import keras\n"
        "import numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "class Odd(keras.callbacks.Callback):\n"
        "    def on_train_end(self, logs=None):\n"
        "        self.model.history.history['accuracy'] = 0.93\n"
        "        self.model.history.history[5] = [object()]\n"
        "model = Sequential([Dense(1, input_shape=(2,))])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.random.rand(4, 2)\n"
        "model.fit(x, x[:, :1], verbose=0, callbacks=[Odd()])\n"
    )
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    assert recorded.arrays["costs/train"].shape == (1,)
    assert recorded.facts["not_recorded"]


def test_threads_are_waited_for_as_python_does(scripts):
    script = scripts.write(
        "import threading, time\n"
        "import numpy as np\n"
        "from keras.models import Sequential\n"
        "from keras.layers import Dense\n"
        "model = Sequential([Dense(1, input_shape=(2,))])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "x = np.random.rand(4, 2)\n"
        "def train():\n"
        "    time.sleep(1)\n"
        "    model.train_on_batch(x, x[:, :1])\n"
        "threading.Thread(target=train).start()\n"
    )
    recorded = scripts.record("torch", script)
    assert recorded.status == 0, recorded.output
    assert recorded.facts["steps"] == 1
