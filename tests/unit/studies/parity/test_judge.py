"""The rule by which a layer parts: meaning by float64, rounding by what its peer shows."""

import numpy as np
import pytest

from keras_repro.studies.parity.findings import Another, Rule
from keras_repro.studies.parity.judge import judge
from tests.unit.studies.parity.sides import EXACT, ROUNDED, side


def judged(tmp_path, mine, other, rule=Rule(), facts=None, **options):  # noqa: B008
    [model] = judge(
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
    [
        (1e-7, 1e-7, False),
        (1e-2, 1e-2, True),
        (5e-5, 5e-5, False),
        ("another shape", 0.0, True),
        ("another kind", 0.0, True),
    ],
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
    [layer] = judged(tmp_path, outputs(ROUNDED), outputs(ROUNDED), alone=0.5).layers
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
    assert judged(tmp_path, *pair, Rule(rtol=0.02)).layers[0].verdict == "agrees"
    [layer] = judged(tmp_path, *pair, Rule(rtol=1e-3)).layers
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
    problems = [model.problem for model in judge(*sides)]
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


def test_a_layer_alone_may_round_as_its_dtype_does(tmp_path):
    for dtype, alone, verdict in (
        *(("float32", 1e-5, "agrees"), ("float32", 1e-3, "not compared")),
        *(("mixed_float16", 1e-3, "agrees"), ("bfloat16", 0.5, "not compared")),
        ("float16", "another shape", "not compared"),
    ):
        facts = {"dtype": dtype, "alone": alone}
        [layer] = judged(tmp_path, outputs(ROUNDED), outputs(ROUNDED), **facts).layers
        assert layer.verdict == verdict


def test_another_shape_is_said_in_words_and_further_than_any_figure(tmp_path):
    mine, other = {"passed/0": ROUNDED, "output/0": ROUNDED}, {"passed/0": ROUNDED[:4]}
    problem = {"problem": "cannot be computed by itself"}
    [layer] = judged(tmp_path, mine, other, arrived=1e-7, **problem).layers
    assert layer.passed is Another.SHAPE
    assert layer.parting[0].why == "is of another shape, though its input is not"
    # What arrives in another shape explains what is passed on so.
    [layer] = judged(tmp_path, mine, other, arrived="another shape", **problem).layers
    assert layer.verdict == "not compared"


@pytest.mark.parametrize(
    ("array", "why"),
    [
        ({"equal": True}, ""),
        ({"equal": False, "apart": 1e-5}, ""),  # what another model made of the same
        ({"equal": False, "apart": 0.1}, "the first batch (batch/x/0) is not the reference's"),
        ({"equal": False}, "the first batch (batch/x/0) is not the reference's"),
        ({"equal": False, "apart": "another kind"}, "the first batch (batch/x/0) is not"),
        ({"missing": True}, "the first batch has more parts than the reference's"),
    ],
)
def test_another_first_batch_is_said(tmp_path, array, why):
    batch = [{"key": "batch/y/0", "equal": True}, {"key": "batch/x/0", **array}]
    arrays = {**outputs(ROUNDED), "loss": np.float32(1)}
    model = judged(tmp_path, arrays, arrays, model={"batch": batch})
    assert model.other_batch[: len(why)] == why
    assert bool(model.other_batch) is bool(why)
    # Of a loss that comes later it is said, and the loss is not compared.
    later = {"loss": {"batch": batch}}
    model = judged(tmp_path, arrays, arrays, model=later)
    assert (model.loss is None) is bool(why)
    assert [note.partition(": on the other: ")[2][: len(why)] for note in model.notes] == (
        [why] if why else []
    )


def test_weights_that_the_script_changed_are_its_own_where_they_are_not_near(tmp_path):
    for apart, own in ((1e-5, False), (1e-3, True), ("another kind", True)):
        changed = [{"place": "0.dense", "weights": [{"equal": False, "apart": apart}]}]
        model = judged(tmp_path, outputs(ROUNDED), outputs(ROUNDED), model={"changed": changed})
        assert model.own_weights is own
        assert any("had trained or loaded 0.dense" in note for note in model.notes) is own


def test_that_jax_compiled_gradients_is_known_on_whatever_side_it_is(tmp_path):
    ones = outputs(ROUNDED)
    for number, (mine, other) in enumerate([(True, False), (False, True), (False, False)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        [layer] = judged(folder, ones, ones, facts={"compiled": mine}, compiled=other).layers
        assert layer.compiled == (mine or other)
