"""Changes of a known size are planted where they are asked for, and nowhere else."""

import re

import numpy as np
import pytest

from tests.conftest import BACKENDS

SCRIPT = """
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

x = np.random.random((32, 3)).astype("float32")
model = Sequential([Dense(5, input_shape=(3,)), BatchNormalization(), Dense(1)])
model.compile("adam", "mse")
model.predict(x, verbose=0)
model.fit(x, x.sum(axis=1), batch_size=8, epochs=2, shuffle=False, verbose=0)
"""
COSTS, KERNEL = "costs/train", "initial_weights/0.dense.kernel"
NUMBER = r"[-\d.e]+"


def ratio(told):
    """Return what was planted, as what the value was multiplied by."""
    before, after = re.search(rf"({NUMBER}) -> ({NUMBER})$", told).groups()
    return float(after) / float(before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_is_planted_once_and_told(backend, scripts):
    script = scripts.write(SCRIPT, "planted.py")
    recorded = scripts.record(backend, script)
    plain = recorded.arrays
    assert "planted_in" not in recorded.facts
    first = {}
    for name in ("learning-rate", "datum", "initial-weight", "epsilon"):
        run = scripts.record(backend, script, options=("--plant", f"{name}=0.01"))
        assert run.status == 0, run.output
        facts, arrays = run.facts, run.arrays
        assert facts["planted"] == {name: "0.01"}
        assert list(facts["planted_in"]) == [name]
        assert ratio(facts["planted_in"][name]) == pytest.approx(1.01, rel=1e-5)
        assert not np.array_equal(arrays[COSTS], plain[COSTS])
        assert np.count_nonzero(arrays[KERNEL] != plain[KERNEL]) == (name == "initial-weight")
        first[name] = arrays[COSTS][0]
    assert first["learning-rate"] == plain[COSTS][0]
    assert first["epsilon"] != plain[COSTS][0]


def test_where_there_is_no_place_nothing_is_planted(scripts):
    script = scripts.write(SCRIPT.replace("BatchNormalization(), ", ""), "without.py")
    plain = scripts.record("jax", script).arrays[COSTS]
    run = scripts.record("jax", script, options=("--plant", "epsilon=0.5"))
    assert run.facts["planted_in"] == {}
    assert np.array_equal(run.arrays[COSTS], plain)
