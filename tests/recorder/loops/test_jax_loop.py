"""The losses and the last weights of a script's own loops on JAX are kept, and none besides."""

import json

import numpy as np
import pytest

from keras_repro.recorder.contract import TRAIN
from tests.recorder.loops import jax_scripts


def whole():
    """Return one script of all loops, each with a model of its own."""
    text = jax_scripts.IMPORTS
    for count, (name, body) in enumerate(jax_scripts.WHOLE.items(), 1):
        number = f"number = 'model{count}/'" if count > 1 else "number = ''"
        text += f"\n# {name}\n" + jax_scripts.BEGIN.replace('number = ""', number) + body
    return text + jax_scripts.END


def record(scripts, text):
    script = scripts.write(text)
    recorded = scripts.record("jax", script)
    assert recorded.status == 0, recorded.output
    given = json.loads(recorded.log.strip().splitlines()[-1])
    for name, values in given.items():
        assert name in recorded.arrays, (name, recorded.facts["not_recorded"])
        expected = [float.fromhex(text) for text in values]
        assert np.ravel(recorded.arrays[name]).tolist() == expected, name
    costs = {name for name in recorded.arrays if name.endswith(f"costs/{TRAIN}")}
    assert costs == {name for name in given if name.endswith(f"costs/{TRAIN}")}
    return recorded


def alone(body):
    return jax_scripts.IMPORTS + jax_scripts.BEGIN + body + jax_scripts.END


def unseen(recorded):
    return [text for key, text in recorded.facts["not_recorded"].items() if "weights/" not in key]


def test_loops_are_recorded_whole_and_no_bit_changes(scripts):
    recorded = record(scripts, whole())
    assert recorded.facts["not_recorded"] == {}
    costs = [values for name, values in recorded.arrays.items() if name.endswith("costs/train")]
    assert len(costs) == len(jax_scripts.WHOLE)
    assert recorded.facts["steps"] == sum(map(len, costs))
    assert {values.dtype for values in costs} == {np.dtype("float32")}
    bare = scripts.bare("jax", scripts.folder / "script.py")
    assert recorded.log.strip().splitlines()[-1] == bare.strip().splitlines()[-1]


def test_costs_that_the_script_hands_over_itself_are_kept_alone(scripts):
    recorded = record(scripts, alone(jax_scripts.RECORDED))
    assert recorded.facts["not_recorded"] == {}


def test_two_models_in_one_step_have_each_its_own(scripts):
    recorded = record(scripts, alone(jax_scripts.TWO_MODELS))
    assert recorded.facts["not_recorded"] == {}
    assert recorded.facts["steps"] == 6


@pytest.mark.parametrize(("name", "body"), jax_scripts.UNSEEN.values(), ids=jax_scripts.UNSEEN)
def test_what_cannot_be_seen_is_said(name, body, scripts):
    recorded = record(scripts, alone(body))
    lines = unseen(recorded)
    assert len(lines) == bool(name)
    for line in lines:
        assert name in line
        assert "script.py:" in line
        assert "keras_repro.record.cost" in line
        assert "\n" not in line
    # No weight is said to be what it was before the loop.
    for key, value in recorded.arrays.items():
        if key.startswith("weights/") and not key.endswith(("moving_mean", "moving_variance")):
            assert (value != recorded.arrays["initial_" + key]).any(), key
    missing = {key for key in recorded.facts["not_recorded"] if key.startswith("weights/")}
    assert {f"initial_{key}" for key in missing} <= set(recorded.arrays)
    assert missing or any("keep_weights(" in line for line in body.splitlines())


def test_keras_own_training_is_kept_once(scripts):
    recorded = record(scripts, alone(jax_scripts.UNDER_KERAS))
    assert recorded.facts["not_recorded"] == {}
    assert recorded.facts["steps"] == 12


def test_what_jit_returns_is_as_it_was(scripts):
    script = scripts.write(jax_scripts.IMPORTS + jax_scripts.BEGIN + jax_scripts.AS_BEFORE)
    bare = scripts.bare("jax", script)
    recorded = scripts.record("jax", script)
    assert recorded.status == 0, recorded.output
    assert bare.count("TypeError") == recorded.log.count("TypeError") == 3
    assert unseen(recorded) == []
