"""A drift that is planted at a training step is reported at that step, on every backend."""

import json

import pytest

from tests.conftest import BACKENDS
from tests.planted import baselines_of_here, train_with_another_rate


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_learning_rate_from_step_137_on(backend, engine, keras_repro, shared):
    folder = train_with_another_rate(keras_repro, shared, engine, [backend])
    here = baselines_of_here(keras_repro, shared)
    options = ("regression.py", "--backend", backend, "--baselines", here)
    done = keras_repro("check", *options, cwd=folder)
    assert done.returncode == 1
    assert "costs/train first differs after step 137; outside the tolerance" in done.stdout
    assert "first link that differs: " in done.stdout
    assert "likely cause: script" in done.stdout
    done = keras_repro("check", *options, "--format", "json", cwd=folder)
    [found] = json.loads(done.stdout)["backends"]
    # The very step, or one at which more than rounding is seen. The trail counts from 1, since it
    # tells of weights after so many steps.
    assert 138 <= found["first_link"]["step"] <= 200
    assert found["first_link"]["kind"] in ("weights", "cost")
    costs = next(array for array in found["arrays"] if array["name"] == "costs/train")
    assert costs["first_step"] == costs["first_step_outside"] == 137
    assert costs["first"] == [138]
    assert costs["differing"] == 301 - 138
