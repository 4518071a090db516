"""A drift that is planted at a training step is reported at that step, on every backend."""

import json

import pytest

from tests.conftest import BACKENDS, ROOT
from tests.planted import train_with_another_rate


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_learning_rate_from_step_137_on(backend, engine, keras_repro, shared):
    folder = train_with_another_rate(keras_repro, shared, engine, [backend])
    options = ("regression.py", "--backend", backend, "--baselines", ROOT / "baselines")
    done = keras_repro("check", *options, cwd=folder)
    assert done.returncode == 1
    assert "costs/train first differs after step 137; outside the tolerance" in done.stdout
    # The trail counts steps from 1, since it tells of weights after so many of them.
    said = " ".join(done.stdout.split())
    assert "first link that differs: weights: " in said
    assert "between steps 138 and 139: the cost of step 139 is the first that differs" in said
    assert "likely cause: script" in done.stdout
    done = keras_repro("check", *options, "--format", "json", cwd=folder)
    [found] = json.loads(done.stdout)["backends"]
    costs = next(array for array in found["arrays"] if array["name"] == "costs/train")
    assert costs["first_step"] == costs["first_step_outside"] == 137
    assert costs["first"] == [138]
    assert costs["differing"] == 301 - 138
