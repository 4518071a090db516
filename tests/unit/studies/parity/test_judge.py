"""The rule by which a layer parts: meaning by float64, rounding by what its peer shows."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract, kernel_layout
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.parity.probe import _near, first_batch
from keras_repro.recorder.parity.randomness import Randomness
from keras_repro.studies.parity import judge

EXACT = np.linspace(-1, 1, 64).reshape(8, 8)
ROUNDED = EXACT.astype(np.float32)
KEY = "layers/0.dense/1"


def side(folder: Path, arrays=None, config=None, model=None, **call) -> judge.Side:
    """Make what a run with one layer keeps; a call's keywords replace facts."""
    folder.mkdir(exist_ok=True)
    writer = ArrayWriter(str(folder / contract.PARITY))
    for name, array in (arrays or {}).items():
        writer.write(name if name.startswith(("loss", "grad")) else f"{KEY}/{name}", array)
    writer.close()
    facts = {
        **{"key": KEY, "place": "0.dense", "call": 1, "name": "dense", "class": "Dense"},
        **{"module": "keras.layers", "config": config or {"units": 8}, "trainable": ["kernel"]},
        **call,
    }
    models = [{"prefix": "", "model": "m", "method": "fit", "calls": [facts], **(model or {})}]
    (folder / contract.PARITY_FACTS).write_text(json.dumps({"models": models, "switched_off": []}))
    return judge.read_side(folder)


def judged(tmp_path, mine, other, rule=judge.Rule(), facts=None, **options):  # noqa: B008
    [model] = judge.judge(
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


def test_infinities_and_what_is_no_number_are_told_apart(tmp_path):
    kinds = [np.where(ROUNDED > 0.9, kind, ROUNDED) for kind in (np.inf, -np.inf, np.nan)]
    for place, mine in enumerate(kinds):
        for other_place, other in enumerate(kinds):
            folder = tmp_path / f"{place}{other_place}"
            folder.mkdir()
            pair = {"inference/0": mine}, {"inference/0": other}
            [layer] = judged(folder, *pair).layers
            assert bool(layer.parting) is (place != other_place)


def test_a_layer_that_computes_in_float32_by_itself_is_judged_without_float64(tmp_path):
    other = ROUNDED * np.float32(1 + 1e-5)
    pair = outputs(ROUNDED, ROUNDED), outputs(other, other)
    [layer] = judged(tmp_path, *pair).layers
    assert layer.verdict == "agrees"
    assert layer.findings[0].apart64 is None
    # A layer that only copies is as narrow; but where one side does not, its float64 tells.
    [layer] = judged(tmp_path, outputs(ROUNDED, ROUNDED), outputs(other, EXACT * 1.5)).layers
    assert layer.parting[0].why.startswith("means something else")


def test_what_rounds_to_16_bits_may_be_further_apart(tmp_path):
    other = ROUNDED.copy()
    other[3, 3] += 1e-3
    for dtype, verdict in (("float32", "parts"), ("float16", "agrees")):
        [layer] = judged(tmp_path, outputs(ROUNDED), outputs(other), facts={"dtype": dtype}).layers
        assert layer.verdict == verdict


@pytest.mark.parametrize(
    ("arrived", "passed", "parts"),
    [(1e-7, 1e-7, False), (1e-2, 1e-2, True), (5e-5, 5e-5, False), (1e300, 0.0, True)],
)
def test_what_arrives_apart_at_the_first_layer_comes_from_between(arrived, passed, parts, tmp_path):
    mine = {**outputs(ROUNDED), "passed/0": ROUNDED}
    other = {**outputs(ROUNDED), "passed/0": ROUNDED * np.float32(1 + passed)}
    model = judged(tmp_path, mine, other, arrived=arrived)
    assert [finding.label for finding in model.between] == ["the input of 0.dense"] * parts
    assert model.layers[0].verdict == "agrees"


def test_what_cannot_be_computed_alone_parts_where_its_outputs_jump(tmp_path):
    mine, other = {"passed/0": ROUNDED}, {"passed/0": ROUNDED * 2}
    problem = {"problem": "cannot be computed by itself"}
    [layer] = judged(tmp_path, mine, other, arrived=1e-7, **problem).layers
    assert (
        layer.parting[0].text == "its output in the model is 1.0e+00 apart, though its input is not"
    )
    [layer] = judged(tmp_path, mine, other, arrived=0.5, **problem).layers
    assert layer.verdict == "not compared"
    [layer] = judged(tmp_path, outputs(ROUNDED), outputs(ROUNDED), unlike=0.5).layers
    assert layer.verdict == "not compared"
    assert "alone it does not compute on the other what it does in the model" in layer.problem


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
    assert judged(tmp_path, *pair, judge.Rule(rtol=0.02)).layers[0].verdict == "agrees"
    [layer] = judged(tmp_path, *pair, judge.Rule(rtol=1e-3)).layers
    assert "64 of 64 outside rtol 0.001" in layer.parting[0].why


def test_what_cannot_be_compared_is_said(tmp_path):
    [layer] = judged(tmp_path, outputs(ROUNDED), {}, problem="cannot be computed").layers
    assert (layer.verdict, layer.problem) == ("not compared", "cannot be computed")
    model = judged(tmp_path, outputs(ROUNDED), {}, model={"calls": []})
    assert model.layers[0].verdict == "parts"
    assert model.layers[0].parting[0].why == "the other backend does not call it"
    model = judged(tmp_path, {}, outputs(ROUNDED), facts={"model": {"calls": []}})
    assert model.problem == "the other backend also calls 0.dense"
    sides = side(tmp_path / "a", {}), side(tmp_path / "b", {}, model={"prefix": "model2/"})
    problems = [model.problem for model in judge.judge(*sides)]
    assert problems == [
        "the other backend's run does not use this model",
        "the reference's run does not use this model",
    ]


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
    found = judge.optimizer_parts(np.array(mine, float), np.array(other, float))
    assert (found is not None) is parts


COSTS = 1.0 / np.arange(1, 41)


@pytest.mark.parametrize(
    ("factor", "step"),
    [
        (1 + 1e-7 * 2.0 ** np.arange(40), None),  # rounding that doubles until it is all there is
        (1 + 1e-7 * 4.0 ** np.arange(40), None),
        (np.where(np.arange(40) < 20, 1 + 1e-7, 1.02), None),  # little, late
        (np.where(np.arange(40) < 20, 1 + 1e-7, 3), 20),
        (np.where(np.arange(40) < 3, 1 + 1e-7, 1.01), 3),
        (np.full(40, 3.0), 0),
        (np.full(40, 1.0), None),
        (np.where(np.arange(40) < 2, 1 + 1e-7, np.nan), None),
    ],
)
def test_costs_part_where_they_jump_further_than_rounding(factor, step):
    assert judge.costs_part(judge.costs_apart(COSTS, COSTS * factor)) == step


def test_costs_part_less_in_16_bits_and_within_a_tolerance():
    apart = judge.costs_apart(COSTS, COSTS * 1.01)
    assert judge.costs_part(apart) == 0
    assert judge.costs_part(apart, ulps=judge.ULPS["float16"]) is None
    assert judge.costs_part(apart, least=0.1) is None


@pytest.mark.parametrize(
    ("factor", "grown", "parts"),
    [(1 + 1e-4, None, False), (1.01, None, True), (1.01, 1e-7, False), (1.5, 1e-7, True)]
    + [(1.5, 1e-2, False)],
)
def test_what_is_predicted_parts_by_how_far_training_grew_apart(factor, grown, parts):
    assert bool(judge.results_part(EXACT, EXACT * factor, grown)) is parts


def test_predictions_of_another_shape_part():
    assert judge.results_part(EXACT, EXACT[:3], 1.0) == "have shape (8, 8) and (3, 8)"


@pytest.mark.parametrize("text", ["", "[]", '{"models": 3}', '{"other": 1}'])
def test_damaged_facts(tmp_path, text):
    side(tmp_path / "a", {})
    (tmp_path / "a" / contract.PARITY_FACTS).write_text(text)
    with pytest.raises(UnreadableError, match="run parity again"):
        judge.read_side(tmp_path / "a")


class Named:
    """A layer as the conversion sees one."""

    def __init__(self, kind, **attributes):
        self.__class__ = type(kind, (), {"get_weights": lambda self: []})
        vars(self).update(attributes)


def test_kernels_turn_both_ways_and_into_wrappers():
    kernel, recurrent, bias = np.arange(36.0).reshape(3, 3, 2, 2), np.ones((2, 2, 1, 1)), np.ones(2)
    conv = Named("Conv2D")
    turned = kernel_layout.converted(conv, [kernel, bias])
    assert np.array_equal(turned[0], kernel[::-1, ::-1])
    assert turned[1] is bias
    assert np.array_equal(kernel_layout.converted(conv, turned)[0], kernel)
    both = kernel_layout.converted(Named("ConvLSTM2D"), [kernel, recurrent * 2, bias])
    assert np.array_equal(both[0], kernel[::-1, ::-1])
    assert kernel_layout.converted(Named("Dense"), [bias])[0] is bias
    wrapped = Named("TimeDistributed", layer=conv)
    assert np.array_equal(kernel_layout.converted(wrapped, [kernel, bias])[0], kernel[::-1, ::-1])
    two = Named("Bidirectional", forward_layer=conv, backward_layer=conv)
    turned = kernel_layout.converted(two, [kernel, bias, kernel, bias])
    assert np.array_equal(turned[2], kernel[::-1, ::-1])
    assert kernel_layout.flips("theano")
    assert not kernel_layout.flips("tensorflow")


def test_a_layer_of_the_scripts_own_is_what_it_derives_from_or_holds():
    kernel, bias = np.arange(36.0).reshape(3, 3, 2, 2), np.ones(2)

    class Conv2D:
        def __init__(self):
            self.weights = [object(), object()]

        def get_weights(self):
            return [kernel, bias]

    class Derived(Conv2D):
        pass

    Depthwise = type("DepthwiseConv2D", (Conv2D,), {"__module__": "keras.layers"})  # noqa: N806

    class Holding:
        def __init__(self, inner):
            self.inner = [inner]
            self.weights = inner.weights

    for layer, turns in ((Derived(), True), (Depthwise(), False), (Holding(Derived()), True)):
        turned = kernel_layout.converted(layer, [kernel, bias])
        assert np.array_equal(turned[0], kernel[::-1, ::-1] if turns else kernel)
        assert np.array_equal(turned[1], bias)


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [
        ([1, np.nan], [1, np.nan], True),
        ([1, np.nan], [1, 2], False),
        ([1, 2], [1, 2 + 1e-5], True),  # what another model made of the same
        ([1, 2], [1, 2.1], False),
        ([np.inf, 1], [-np.inf, 1], False),
    ],
)
def test_batches_are_the_same_up_to_rounding(mine, other, same):
    assert _near(np.float32(mine), np.float32(other)) is same


@pytest.mark.parametrize("given", [{"shuffle": True}, {}, 3])
def test_fit_goes_through_the_data_in_order_however_it_is_called(given):
    class Model:
        def fit(self, x, y=None, shuffle=True):
            return x, y, shuffle

    quiet = Randomness()
    call = quiet._in_order(Model.fit)
    result = call(Model(), 1, 2, True) if given == 3 else call(Model(), 1, y=2, **given)
    assert result == (1, 2, False)
    assert quiet.found == ["shuffling in fit"]


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
