"""A drift that is planted at a training step is reported at that step, on every backend."""

import json

import pytest

from tests.conftest import BACKENDS, ROOT
from tests.planted import OTHER_RATE, regression_with


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_learning_rate_from_step_137_on(backend, engine, keras_repro, tmp_path):
    regression_with(tmp_path, OTHER_RATE.format(step=137))
    options = ("regression.py", "--backend", backend)
    trained = keras_repro("train", *options, "--engine", engine)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    done = keras_repro("check", *options, "--baselines", ROOT / "baselines")
    assert done.returncode == 1
    assert "costs/train first differs after step 137: the update of step 137" in done.stdout
    assert "likely cause: script" in done.stdout
    done = keras_repro("check", *options, "--baselines", ROOT / "baselines", "--format", "json")
    [found] = json.loads(done.stdout)["backends"]
    costs = next(array for array in found["arrays"] if array["name"] == "costs/train")
    assert costs["first_step"] == costs["first_step_outside"] == 137
    assert costs["first"] == [138]
    assert costs["differing"] == 301 - 138
