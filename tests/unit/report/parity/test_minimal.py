"""What minimal scripts are called, and for which layers there is none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from keras_repro import backends
from keras_repro.errors import ExitCode
from keras_repro.report.parity import minimal
from keras_repro.studies.parity.findings import Finding, LayerParity, ModelParity
from keras_repro.studies.parity.recorded import Side
from keras_repro.studies.parity.study import Pair

PARTS = Finding("inference", 0, "output in inference", 1.0, why="means something else")


def layer(name="dense", key="layers/0.dense/1", config=None, **facts):
    facts = {"findings": [PARTS], "arguments": "inputs[0]", "module": "keras.src.layers", **facts}
    return LayerParity(
        *(key, "0.dense", name, "Dense", facts.pop("module")),
        *(config or {"units": 3}, {"units": 3}, facts.pop("findings")),
        **facts,
    )


def written(kind, index, compiled):
    """Return the minimal script of a gradient; of the layer's two inputs, one has no floats."""
    finding = Finding(kind, index, "gradient", 1.0, why="means something else")
    of = layer(findings=[finding], arguments="inputs[0], inputs[1]", compiled=compiled)
    arrays = {
        "input/0": np.zeros(3, np.int32),
        "input/1": np.zeros(3, np.float32),
        "weighing/0": np.ones(3, np.float32),
        f"{kind}/{index}": np.zeros(3, np.float32),
    }
    stored = {f"{of.key}/{name}": Array(array) for name, array in arrays.items()}
    made = minimal.minimal_script(pair(("", of)), Side(Path(), {}, stored), of, "name")
    assert not made.problem
    compile(made.script, "name.py", "exec")
    return made.script


@dataclass
class Array:
    of: np.ndarray

    def load(self):
        return self.of


def pair(*parting, against="torch", reference="jax"):
    models = [ModelParity("m", prefix, "fit", [of], None, []) for prefix, of in parting]
    return Pair(*backends.select((reference, against)), ExitCode.DRIFT, models=models)


def test_names_are_short_and_no_two_are_the_same():
    long = "x" * 300
    parting = [
        ("", layer("Act")),
        ("model2/", layer("act", "model2/layers/0.dense/1")),
        ("model3/", layer("other", "model3/layers/0.dense/2")),
        ("model4/", layer(long, "model4/layers/0.dense/1")),
        ("model5/", layer(long, "model5/layers/0.dense/1")),
        ("model6/", layer('a "b" \\n/c', "model6/layers/0.dense/1")),
    ]
    names = list(minimal.file_names(pair(*parting)).values())
    assert names[:3] == ["jax-torch-Act", "jax-torch-model2-act", "jax-torch-other-2"]
    assert len({name.lower() for name in names}) == len(parting)
    assert max(map(len, names)) < 110
    assert names[5] == "jax-torch-a-b-n-c"


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"module": "__main__"}, "Dense is the script's own"),
        ({"arguments": ""}, "its call has arguments that cannot be written down"),
        ({"config": {"stateful": True}}, "it keeps a state from call to call"),
        ({"config": {"activation": "<function f at 0x1>"}}, "holds what only the script defines"),
        ({"config": {"layer": {"registered_name": "Own"}}}, "holds what only the script defines"),
        ({"findings": [Finding("missing", 0, "", why="not called")]}, "shows only in the model"),
        ({"findings": [Finding("inference", 0, "", why="only one side has it")]}, "only one of"),
    ],
)
def test_for_what_no_script_can_show_it_is_said(facts, problem):
    side = Side(Path(), {}, {})
    of = layer(**facts)
    made = minimal.minimal_script(pair(("", of)), side, of, "name")
    assert problem in made.problem
    assert not made.script


@pytest.mark.parametrize(("kind", "index"), [("weight_gradient", 0), ("input_gradient", 1)])
def test_gradients_are_compiled_on_jax_where_the_recorder_did_so(kind, index):
    differentiate = "jax.grad(of, argnums=(0, 1))"
    assert f"= jax.jit({differentiate})(" in written(kind, index, True)
    assert f"= {differentiate}(" in written(kind, index, False)


def test_of_inputs_without_floats_there_is_no_gradient():
    assert "gradient = gradients[0][2]\n" in written("weight_gradient", 2, True)
    script = written("input_gradient", 1, True)
    assert "zip([1], tensors)" in script
    assert "gradient = gradients[1][0]\n" in script


def test_two_generations_have_no_script_in_common():
    of = layer()
    made = minimal.minimal_script(
        pair(("", of), reference="theano"), Side(Path(), {}, {}), of, "name"
    )
    assert "different generations of Keras" in made.problem
