"""The rule by which a layer parts: meaning by float64, rounding by what its peer shows."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_repro import layers
from keras_repro.errors import UnreadableError
from keras_repro.recorder import kernels, layout
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.parity import first_batch

EXACT = np.linspace(-1, 1, 64).reshape(8, 8)
ROUNDED = EXACT.astype(np.float32)
KEY = "layers/0.dense/1"


def side(folder: Path, arrays=None, config=None, model=None, **call) -> layers.Side:
    """Make what a run with one layer keeps; a call's keywords replace facts."""
    folder.mkdir(exist_ok=True)
    writer = ArrayWriter(str(folder / layout.PARITY))
    for name, array in (arrays or {}).items():
        writer.write(name if name.startswith(("loss", "grad")) else f"{KEY}/{name}", array)
    writer.close()
    facts = {
        **{"key": KEY, "place": "0.dense", "call": 1, "name": "dense", "class": "Dense"},
        **{"module": "keras.layers", "config": config or {"units": 8}, "trainable": ["kernel"]},
        **call,
    }
    models = [{"prefix": "", "model": "m", "method": "fit", "calls": [facts], **(model or {})}]
    (folder / layout.PARITY_FACTS).write_text(json.dumps({"models": models, "switched_off": []}))
    return layers.read_side(folder)


def judged(tmp_path, mine, other, rule=layers.Rule(), facts=None, **options):  # noqa: B008
    [model] = layers.judge(
        side(tmp_path / "a", mine, **(facts or {})), side(tmp_path / "b", other, **options), rule
    )
    return model


def outputs(values, wide=EXACT, kind="inference"):
    return {f"{kind}/0": np.asarray(values, np.float32), f"float64/{kind}/0": np.asarray(wide)}


def test_rounding_agrees(tmp_path):
    noisy = ROUNDED * np.float32(1 + 1e-6)
    [layer] = judged(tmp_path, outputs(ROUNDED), outputs(noisy)).layers
    assert layer.verdict == "agrees"
    assert layer.findings[0].apart64 == 0


def test_another_meaning_parts_however_small(tmp_path):
    other = outputs(EXACT * (1 + 3e-6), EXACT * (1 + 3e-6))
    [layer] = judged(tmp_path, outputs(ROUNDED), other).layers
    assert layer.verdict == "parts"
    assert layer.parting[0].why.startswith("means something else: 3.0e-06 apart in float64")


@pytest.mark.parametrize(("wrong", "who"), [("a", "the reference"), ("b", "the other")])
def test_a_float32_error_far_above_the_peers_parts(tmp_path, wrong, who):
    bad = ROUNDED.copy()
    bad[3, 3] += 1e-4
    pair = (bad, ROUNDED) if wrong == "a" else (ROUNDED, bad)
    [layer] = judged(tmp_path, *map(outputs, pair)).layers
    assert layer.parting[0].why.startswith(f"{who} is 1.0e-04 off float64, the peer")


def test_both_as_wrong_as_each_other_is_rounding(tmp_path):
    draw = np.random.default_rng(0)
    pair = [outputs(ROUNDED + draw.uniform(-1e-4, 1e-4, (8, 8))) for _ in range(2)]
    assert judged(tmp_path, *pair).layers[0].verdict == "agrees"


def test_without_float64_the_values_themselves_decide(tmp_path):
    for apart, verdict in ((1e-5, "agrees"), (1e-4, "parts")):
        other = {"inference/0": ROUNDED + np.float32(apart)}
        [layer] = judged(tmp_path, {"inference/0": ROUNDED}, other).layers
        assert layer.verdict == verdict
    # One side's float64 serves both.
    [layer] = judged(tmp_path, outputs(ROUNDED), {"inference/0": ROUNDED + 1e-4}).layers
    assert "the other is" in layer.parting[0].why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (ROUNDED[:4], "shape (8, 8) and (4, 8)"),
        (np.where(ROUNDED > 0.9, np.nan, ROUNDED), "one side is not finite"),
    ],
)
def test_differences_of_kind(tmp_path, other, why):
    [layer] = judged(tmp_path, {"inference/0": ROUNDED}, {"inference/0": other}).layers
    assert layer.parting[0].why.startswith(why)


def test_a_gradient_that_cancels_is_as_uncertain_as_the_largest(tmp_path):
    large, nothing = np.float32([1000.0]), np.float32([1e-5])
    mine = {
        **{"weight_gradient/0": large, "float64/weight_gradient/0": np.float64([1000.0])},
        **{"weight_gradient/1": nothing, "float64/weight_gradient/1": np.float64([1e-17])},
    }
    other = {**mine, "weight_gradient/1": -nothing, "float64/weight_gradient/1": [-1e-17]}
    assert judged(tmp_path, mine, other).layers[0].verdict == "agrees"
    wrong = {**mine, "weight_gradient/0": large / 2, "float64/weight_gradient/0": [500.0]}
    [layer] = judged(tmp_path, mine, wrong).layers
    assert layer.parting[0].label == "gradient of weight kernel"


def test_none_and_zeros_are_the_same_gradient(tmp_path):
    zeros = {"input_gradient/0": np.zeros(3, np.float32)}
    assert judged(tmp_path, zeros, {}).layers[0].verdict == "agrees"
    ones = {"input_gradient/0": np.ones(3, np.float32)}
    assert judged(tmp_path, ones, {}).layers[0].parting[0].why == "only one side has it"
    excused = judged(tmp_path, ones, {}, no_gradients="TypeError: no")
    assert excused.layers[0].verdict == "agrees"
    assert excused.layers[0].notes == ["no gradients on the other: TypeError: no"]


def test_tolerances_replace_the_reasoning(tmp_path):
    pair = outputs(ROUNDED), outputs(EXACT * 1.01, EXACT * 1.01)
    assert judged(tmp_path, *pair, layers.Rule(rtol=0.02)).layers[0].verdict == "agrees"
    [layer] = judged(tmp_path, *pair, layers.Rule(rtol=1e-3)).layers
    assert "64 of 64 outside rtol 0.001" in layer.parting[0].why


def test_what_cannot_be_compared_is_said(tmp_path):
    [layer] = judged(tmp_path, outputs(ROUNDED), {}, problem="cannot be computed").layers
    assert (layer.verdict, layer.problem) == ("not compared", "cannot be computed")
    model = judged(tmp_path, outputs(ROUNDED), {}, model={"calls": []})
    assert model.layers[0].problem == "the other backend does not call it"
    model = judged(tmp_path, {}, outputs(ROUNDED), facts={"model": {"calls": []}})
    assert KEY in model.problem
    model = judged(tmp_path, {}, {}, model={"prefix": "model2/"})
    assert "does not use this model" in model.problem


def test_loss_and_gradients_of_the_whole_model(tmp_path):
    mine = {"loss": np.float32(1), "gradients/0.dense/0": np.float32([1, 1e-9])}
    near = {"loss": np.float32(1.000001), "gradients/0.dense/0": np.float32([1, -1e-9])}
    model = judged(tmp_path, mine, near)
    assert not model.loss.parts
    assert not model.gradients[0].parts
    far = {"loss": np.float32(1.1), "gradients/0.dense/0": np.float32([1.1, 0])}
    model = judged(tmp_path, mine, far)
    assert model.loss.parts
    assert model.gradients[0].parts


@pytest.mark.parametrize(
    ("mine", "other", "parts"),
    [
        ([1, 0.5, 0.2], [1, 0.5, 0.1], False),  # only later: rounding that grows
        ([1, 0.5], [1, 0.51], True),
        ([1, 0.5], [1.01, 0.51], False),  # the loss already parts
        ([1], [1], False),
        ([np.nan, 1], [1, 1], False),
    ],
)
def test_an_optimizer_parts_in_the_first_step(mine, other, parts):
    found = layers.optimizer_parts(np.array(mine, float), np.array(other, float))
    assert (found is not None) is parts


@pytest.mark.parametrize("text", ["", "[]", '{"models": 3}', '{"other": 1}'])
def test_damaged_facts(tmp_path, text):
    side(tmp_path / "a", {})
    (tmp_path / "a" / layout.PARITY_FACTS).write_text(text)
    with pytest.raises(UnreadableError, match="run parity again"):
        layers.read_side(tmp_path / "a")


class Named:
    """A layer as the conversion sees one."""

    def __init__(self, kind, **attributes):
        self.__class__ = type(kind, (), {"get_weights": lambda self: []})
        vars(self).update(attributes)


def test_kernels_turn_both_ways_and_into_wrappers():
    kernel, recurrent, bias = np.arange(36.0).reshape(3, 3, 2, 2), np.ones((2, 2, 1, 1)), np.ones(2)
    conv = Named("Conv2D")
    turned = kernels.converted(conv, [kernel, bias])
    assert np.array_equal(turned[0], kernel[::-1, ::-1])
    assert turned[1] is bias
    assert np.array_equal(kernels.converted(conv, turned)[0], kernel)
    both = kernels.converted(Named("ConvLSTM2D"), [kernel, recurrent * 2, bias])
    assert np.array_equal(both[0], kernel[::-1, ::-1])
    assert kernels.converted(Named("Dense"), [bias])[0] is bias
    wrapped = Named("TimeDistributed", layer=conv)
    assert np.array_equal(kernels.converted(wrapped, [kernel, bias])[0], kernel[::-1, ::-1])
    two = Named("Bidirectional", forward_layer=conv, backward_layer=conv)
    turned = kernels.converted(two, [kernel, bias, kernel, bias])
    assert np.array_equal(turned[2], kernel[::-1, ::-1])
    assert kernels.flips("theano")
    assert not kernels.flips("tensorflow")


X, Y = np.arange(100.0).reshape(50, 2), np.arange(50.0)


@pytest.mark.parametrize(
    ("method", "args", "kwargs", "size", "has_y"),
    [
        ("fit", (X, Y), {}, 32, True),
        ("fit", (X, Y, 7), {}, 7, True),
        ("fit", (X,), {"y": Y, "batch_size": 5}, 5, True),
        ("train_on_batch", (X, Y), {}, 50, True),
        ("predict", (X,), {}, 32, False),
        ("predict", (X, 9), {}, 9, False),
        ("evaluate", (), {"x": X, "y": Y}, 32, True),
    ],
)
def test_the_first_batch_of_arrays(method, args, kwargs, size, has_y):
    x, y, again, same = first_batch(method, args, kwargs)
    assert np.array_equal(x, X[:size])
    assert (y is not None) is has_y
    assert (again, same) == (args, kwargs)


def test_the_first_batch_of_a_generator_is_put_back():
    def batches():
        for number in range(3):
            yield X[:number], Y[:number]

    x, y, (again,), _ = first_batch("fit", (batches(),), {})
    assert (len(x), len(y)) == (0, 0)
    assert [len(part) for part, _ in again] == [0, 1, 2]


def test_what_cannot_be_looked_at():
    assert first_batch("fit", (object(),), {})[0] is None
