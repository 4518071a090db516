"""Both of Keras' own ways to choose the backend work, and a run says which was really used."""

import json

import pytest

from keras_repro.backends import load
from keras_repro.recorder import contract
from tests.conftest import BACKENDS
from tests.recorder.test_failures import GOOD


def keras_json(scripts, **keys):
    home = scripts.folder / "keras-home"
    home.mkdir(mode=0o755)
    path = home / "keras.json"
    path.write_text(json.dumps(keys))
    return path


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_json_of_the_backend_is_what_keras_uses(backend, scripts):
    text = GOOD + "import keras\nprint('USED', keras.backend.backend())\n"
    recorded = scripts.record(backend, scripts.write(text))
    wanted = load()[backend].keras_backend
    assert recorded.facts["keras"]["backend"] == wanted
    assert f"USED {wanted}" in recorded.log
    assert "KERAS_BACKEND" not in recorded.facts["environment"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_backend_variable_wins(backend, scripts):
    wanted = load()[backend].keras_backend
    other = keras_json(scripts, backend="no_such_backend", floatx="float32", epsilon=1e-7)
    recorded = scripts.record(backend, scripts.write(GOOD), keras_json=other, KERAS_BACKEND=wanted)
    assert recorded.status == 0, recorded.output
    assert recorded.facts["keras"]["backend"] == wanted


@pytest.mark.parametrize("backend", ["theano", "jax"])
def test_another_backend_than_asked_for_is_an_error(backend, scripts):
    """NumPy is a backend of Keras 3; Keras 2 takes any module, so the script makes one."""
    text = GOOD
    if backend == "theano":
        text = "import keras.backend as K\nK.backend = lambda: 'other'\n" + GOOD
        recorded = scripts.record(backend, scripts.write(text))
    else:
        text = "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\n"
        text += "import numpy as np\nmodel.predict(np.ones((2, 2)))\n"
        recorded = scripts.record(backend, scripts.write(text), KERAS_BACKEND="numpy")
    assert recorded.status == contract.EXIT_FAILED, recorded.output
    assert "was asked for" in recorded.facts["reason"]
    assert repr(load()[backend].keras_backend) in recorded.facts["reason"]


CASES = [
    ({"image_dim_ordering": "th"}, "channels_first"),
    ({"image_dim_ordering": "tf"}, "channels_last"),
    ({"image_data_format": "channels_first"}, "channels_first"),
    ({"image_dim_ordering": "th", "image_data_format": "channels_last"}, "channels_last"),
]


@pytest.mark.parametrize(
    ("backend", "keys", "expected"),
    # Every case on one backend of each generation of Keras, the old key on all.
    [(backend, *case) for backend in ("theano", "jax") for case in CASES]
    + [(backend, *CASES[0]) for backend in BACKENDS if backend not in ("theano", "jax")],
)
def test_old_keys_of_keras_json_mean_what_they_meant(backend, keys, expected, scripts):
    wanted = load()[backend].keras_backend
    path = keras_json(scripts, backend=wanted, floatx="float32", epsilon=1e-7, **keys)
    text = GOOD + "import keras\nprint('FORMAT', keras.backend.image_data_format())\n"
    recorded = scripts.record(backend, scripts.write(text), keras_json=path)
    assert recorded.status == 0, recorded.output
    assert f"FORMAT {expected}" in recorded.log
    assert recorded.facts["keras"]["image_data_format"] == expected
