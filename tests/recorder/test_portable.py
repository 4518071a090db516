"""Portable settings reach the script, each tried before; what does not work is left out."""

import json

import pytest

from keras_repro.backends import kernels
from tests.conftest import BACKENDS

SCRIPT = """
import json, os
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

model = Sequential([Dense(2, input_shape=(3,))])
model.compile("sgd", "mse")
model.train_on_batch(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"))
print(json.dumps(dict(os.environ)))
"""


def environment(recorded):
    """Return the script's variables, as it printed them."""
    [line] = [line for line in recorded.log.splitlines() if line.startswith("{")]
    return json.loads(line)


def asked(settings):
    return ("--portable", "--portable-settings", settings)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_setting_of_the_table_works_and_reaches_the_script(backend, scripts):
    settings = kernels.portable(backend)
    script = scripts.write(SCRIPT, "portable.py")
    recorded = scripts.record(backend, script, options=asked(settings))
    assert recorded.status == 0, recorded.output
    facts, seen = recorded.facts, environment(recorded)
    wanted = {name: value for _, _, those in json.loads(settings) for name, value in those.items()}
    assert facts["portable"] is True
    assert facts["portable_left_out"] == {}
    assert facts["portable_settings"] == wanted
    for name, value in wanted.items():
        assert value in seen[name]


def test_what_crashes_is_left_out_and_said_and_all_else_holds(scripts):
    settings = json.dumps(
        [
            ("XLA", " ", {"XLA_FLAGS": "--no_such_flag=1"}),  # XLA ends the process
            ("OpenBLAS", "", {"OPENBLAS_CORETYPE": "Nehalem"}),
        ]
    )
    script = scripts.write(SCRIPT, "portable.py")
    recorded = scripts.record("jax", script, options=asked(settings))
    assert recorded.status == 0, recorded.output
    facts, seen = recorded.facts, environment(recorded)
    assert list(facts["portable_left_out"]) == ["XLA"]
    assert facts["portable_settings"] == {"OPENBLAS_CORETYPE": "Nehalem"}
    assert "no_such_flag" not in seen.get("XLA_FLAGS", "")
    assert seen["OPENBLAS_CORETYPE"] == "Nehalem"
    assert "left out of the portable settings: XLA: it failed: " in recorded.log
    assert "Unknown flag" in facts["portable_left_out"]["XLA"]


def test_what_the_user_sets_goes_before(scripts):
    settings = json.dumps(
        [
            ("XLA", " ", {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"}),
            ("OpenBLAS", "", {"OPENBLAS_CORETYPE": "Nehalem"}),
        ]
    )
    own = ("--env", "OPENBLAS_CORETYPE=Haswell", "--env", "XLA_FLAGS=--xla_cpu_max_isa=AVX2")
    script = scripts.write(SCRIPT, "portable.py")
    recorded = scripts.record("jax", script, options=(*asked(settings), *own))
    assert recorded.status == 0, recorded.output
    seen = environment(recorded)
    assert seen["OPENBLAS_CORETYPE"] == "Haswell"
    assert seen["XLA_FLAGS"].startswith("--xla_cpu_max_isa=SSE4_2 --xla_cpu_max_isa=AVX2")


def test_without_the_harness_it_is_refused(scripts):
    script = scripts.write(SCRIPT, "portable.py")
    recorded = scripts.record("jax", script, options=("--portable",))
    assert recorded.status == 2
    assert "keras-repro train --portable" in recorded.output
