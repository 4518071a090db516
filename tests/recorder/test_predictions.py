"""A loop that predicts leaves one array, a handful of calls an array each."""

import json

import numpy as np
import pytest

from tests.conftest import BACKENDS

SCRIPT = """
import json
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

x = np.arange(40.0).reshape(20, 2)
model = Sequential([Dense(3, input_shape=(2,))])
given = []
for n in range(40):
    given.append(model.predict(x[n % 20 : n % 20 + 1], verbose=0))
alone = model.predict(x, verbose=0)
for n in range(3):
    model.predict(x, verbose=0)
print(json.dumps([[part.ravel().tolist() for part in given], alone.tolist()]))
"""


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name in ("theano", "torch")])
def test_a_loop_is_one_array(backend, scripts):
    recorded = scripts.record(backend, scripts.write(SCRIPT))
    assert recorded.status == 0, recorded.output
    given, alone = json.loads(recorded.log.strip().splitlines()[-1])
    arrays = recorded.arrays
    predicted = {name for name in arrays if name.startswith("predictions/")}
    assert predicted == {f"predictions/{n}" for n in ("0-39", 40, 41, 42, 43)}
    assert arrays["predictions/0-39"].shape == (40, 1, 3)
    assert np.array_equal(arrays["predictions/0-39"].reshape(40, 3), np.float32(given))
    assert np.array_equal(arrays["predictions/40"], np.float32(alone))
    assert recorded.facts["arrays"]["predictions/0-39"] == {
        "dtype": "float32",
        "shape": [40, 1, 3],
    }
