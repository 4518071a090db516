"""Initial weights and data are moved by one ulp each, before their use; nothing else is another."""

import json

import numpy as np
import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS

# Fit and predict; and on the other hand weights that nothing trains, used before there is a fit.
SCRIPT = """
import json, random
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

x = np.random.random((32, 3)).astype("float32")
untrained = Sequential([Dense(4, input_shape=(3,))])
before = untrained.predict(x, verbose=0)
model = Sequential([Dense(5, input_shape=(3,)), BatchNormalization(), Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x.sum(axis=1), epochs=2, shuffle=False, verbose=0)
print(json.dumps({
    "drawn": [random.random(), np.random.random()],
    "kernel": untrained.get_weights()[0].ravel().tolist(),
    "used": np.array_equal(before, untrained.predict(x, verbose=0)),
}))
"""


def said(recorded):
    assert recorded.status == 0, recorded.output
    return json.loads(recorded.log.strip().splitlines()[-1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_initial_weight_is_one_ulp_away_and_nothing_else_drawn(backend, scripts):
    script = scripts.write(SCRIPT, "moved.py")
    plain = scripts.record(backend, script)
    base, told = plain.arrays, said(plain)
    assert plain.facts["ulps"] == 0
    moved_run = scripts.record(backend, script, options=("--ulps", "3"))
    moved, now = moved_run.arrays, said(moved_run)
    assert now["drawn"] == told["drawn"]
    assert now["used"]  # at once: nothing moved them after the first prediction
    names = [name for name in base if "initial_weights/" in name]
    assert len(names) > 6
    for name in names:
        ulps = np.abs(moved[name].view(np.int32) - base[name].view(np.int32))
        assert ulps.tolist() == (base[name] != 0).astype(int).tolist(), name
    kernels = [moved[name] for name in names if name.endswith("kernel")]
    untrained = np.float32(now["kernel"]).reshape(3, 4)
    assert any(np.array_equal(kernel, untrained) for kernel in kernels if kernel.shape == (3, 4))
    first = [moved[name] - base[name] for name in names if base[name].shape == (3, 5)]
    assert {-1.0, 1.0} == set(np.sign(first[0]).ravel())  # not all in one direction
    assert moved_run.facts["ulps"] == 3
    assert not np.array_equal(moved["model2/costs/train"], base["model2/costs/train"])


# Its one weight has two ways to be moved, and it sets it by itself: the data are left.
SETS = """
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

x = np.array([[0.7]])
model = Sequential([Dense(1, use_bias=False, input_shape=(1,))])
model.compile("sgd", "mse")
for _ in range(3):
    model.set_weights([np.float32([[0.5]])])
    model.train_on_batch(x, np.zeros((1, 1)))
assert x[0, 0] == 0.7
"""


def digests_of_data(path):
    links = json.loads(path.read_text())["links"]
    return [link["value"]["digest"] for link in links if link.get("argument") == "x"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_data_are_moved_too_each_step_alike(backend, scripts):
    script = scripts.write(SETS, "sets.py")
    data, costs = [], []
    for options in ((), ("--ulps", "3")):
        run = scripts.record(backend, script, options=options)
        assert run.status == 0, run.output
        data.append(digests_of_data(run.out / contract.TRAIL))
        costs.append(run.arrays["costs/train"])
    assert len(set(data[0])) == len(set(data[1])) == 1
    assert data[0][0] != data[1][0]
    assert len(set(costs[1])) == 1
    assert 0 < abs(costs[0][0] - costs[1][0]) < 1e-6
