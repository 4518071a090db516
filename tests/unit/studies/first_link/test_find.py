"""The first link that differs, of made-up trails."""

import copy
import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from keras_repro.runs.trail import Trail
from keras_repro.studies.first_link.align import pairs
from keras_repro.studies.first_link.between import costs_of
from keras_repro.studies.first_link.find import Costs, Question, Result, chain, first_link
from keras_repro.studies.first_link.found import Sides, State
from tests.unit import trails
from tests.unit.trails import IMPORT, WEIGHTS, changed, links, rounded, told, with_change

MANY = settings(deadline=None, max_examples=60)
PREDICTIONS = Result("predictions/0")
VALUES = [at for at, link in enumerate(links(2)) if link["kind"] != "generators"]
STATES = [at for at, link in enumerate(links(2)) if link["kind"] == "generators"]


def question(obtained, expected, costs=None, results=(PREDICTIONS,), rounding=False, left_out=0):
    sides = [
        Trail.model_validate({"schema_version": 1, "left_out": left_out, "links": side})
        for side in (expected, obtained)
    ]
    found = pairs(*sides, Sides(), rounding)
    return Question(found, costs or {}, list(results), Sides(), rounding)


def first(*arguments, **options):
    return first_link(question(*arguments, **options))


def is_named(found, link):
    """Return whether what was found is just this link."""
    if found.kind != link["kind"]:
        return False
    match link["kind"]:
        case "weights":
            last = found.last_step or found.step
            return last == link["step"] and next(iter(link["weights"])) in found.place
        case "initial weights":
            return next(iter(link["weights"])) in found.place and f"model {link['model']}" in (
                found.place
            )
        case "data":
            ordinal = {"x": "first", "y": "second"}[link["argument"]]
            return f"the {ordinal} argument" in found.place and link["call"] in found.place
        case "file":
            return found.place == link["path"]
        case "cost":
            return found.step == link["step"]
    return found.place == link["at"]


@MANY
@given(st.integers(1, 3), st.integers(1, 40), st.booleans(), st.booleans())
def test_the_same_trails_name_no_link(models, last, rounding, differ):
    both = links(models, last)
    results = (PREDICTIONS,) if differ else ()
    found = first(both, copy.deepcopy(both), results=results, rounding=rounding)
    assert found is None if not differ else found.kind == "results"


@MANY
@given(st.sampled_from(VALUES), st.booleans())
def test_a_planted_change_of_a_value_names_just_that_link(at, rounding):
    before = links(2)
    found = first(with_change(before, at), before, rounding=rounding)
    assert is_named(found, before[at]), found
    assert (before[at].get("model", 1) == 2) is ("model 2" in found.place)
    assert found.explanations == () or found.kind in ("weights", "cost", "file")


@MANY
@given(st.sampled_from(VALUES), st.lists(st.sampled_from(range(len(links(2))))), st.booleans())
def test_what_differs_later_is_not_named(at, others, rounding):
    before = links(2)
    after = with_change(before, at)
    for other in others:
        if other > at or before[other]["kind"] == "generators":
            after = with_change(after, other)
    assert is_named(first(after, before, rounding=rounding), before[at])


@MANY
@given(st.sampled_from(VALUES), st.booleans())
def test_a_link_that_is_missing_is_a_difference_in_words(at, rounding):
    before = links(2)
    after = before[:at] + before[at + 1 :]
    found = first(after, before, rounding=rounding)
    assert found.kind == before[at]["kind"]
    assert "only in the baseline" in str(found)
    assert "only in the run" in str(first(before, after, rounding=rounding))


@MANY
@given(st.sampled_from(VALUES))
def test_what_a_thinned_trail_left_out_is_no_difference(at):
    before = links(2)
    after = before[:at] + before[at + 1 :]
    assert first(after, before, left_out=1).kind == "results"


@MANY
@given(st.sampled_from(STATES), st.booleans())
def test_a_generator_alone_is_named_only_where_an_array_differs(at, rounding):
    before = links(2)
    after = with_change(before, at)
    assert first(after, before, results=(), rounding=rounding) is None
    found = first(after, before, rounding=rounding)
    assert (found.kind, found.place) == ("generators", before[at]["at"])
    assert "numpy.random had another state" in str(found)
    assert ("another state where model 1 is made" in str(found)) is (at == 3)
    assert "predictions/0" in str(found)


@MANY
@given(st.sampled_from(STATES), st.sampled_from(VALUES), st.booleans())
def test_a_generator_explains_a_value_only_where_it_comes_before(moved, at, rounding):
    before = links(2)
    found = first(with_change(with_change(before, moved), at), before, rounding=rounding)
    assert is_named(found, before[at])
    assert ("numpy.random had another state" in str(found)) is (moved < at)


@MANY
@given(st.floats(-1e-7, 1e-7), st.integers(2, 100))
def test_rounding_never_names_a_link(factor, last):
    before = links(2, last)
    asked = question(rounded(before, factor), before, results=(), rounding=True)
    assert first_link(asked) is None
    states = {station.name: station.state for station in chain(asked, State.DIFFERS)}
    assert set(states.values()) == {State.SAME, State.CLOSE, State.DIFFERS}
    assert [name for name, state in states.items() if state is State.DIFFERS] == ["environment"]
    assert first(rounded(before, factor), before).kind == "initial weights"


edits = st.lists(
    st.tuples(st.sampled_from(("change", "remove", "repeat", "shape")), st.integers(0, 40)),
    max_size=4,
)


def edited(found, changes):
    for what, place in changes:
        at = place % len(found)
        if what == "change":
            found = with_change(found, at)
        elif what == "repeat":
            found = [*found[:at], found[at], *found[at:]]
        elif what == "shape" and "value" in found[at]:
            found = with_change(found, at)
            found[at]["value"]["shape"] = [3, 3]
        elif len(found) > 1:
            found = found[:at] + found[at + 1 :]
    return found


@settings(deadline=None, max_examples=200)
@given(edits, edits, st.booleans(), st.integers(1, 12))
def test_which_side_is_which_does_not_matter(mine, theirs, rounding, step):
    before, after = edited(links(2), theirs), edited(links(2), mine)
    costs = {1: Costs(step if step < 10 else None, 9)}
    one = first(after, before, costs=costs, rounding=rounding)
    other = first(before, after, costs=costs, rounding=rounding)
    names = [(found.kind, found.place, found.step, found.last_step) for found in (one, other)]
    assert names[0] == names[1]


def test_importing_jax_changed_the_data():
    """The story of JAX 0.6.1."""
    before = links()
    after = with_change(before, 6)
    for link in after:
        if link["kind"] == "generators" and link["at"] != trails.FIRST_LINE:
            link["states"]["numpy.random"] = "moved"
    after[1]["drew"] = {"numpy.random": 10}
    assert str(first(after, before)) == (
        "data: the second argument (y) of the first fit; "
        "importing jax drew 10 words from numpy.random (none in the baseline)"
    )
    assert "importing jax drew nothing from numpy.random (10 words in the baseline)" in str(
        first(before, after)
    )
    after[1]["drew"] = {"numpy.random": -1}
    assert "importing jax drew many words from numpy.random" in str(first(after, before))
    del after[1]["drew"]
    assert "numpy.random had another state after importing jax" in str(first(after, before))
    assert after[1]["at"] == IMPORT


def test_initial_weights_of_a_model_and_the_state_at_the_first_line():
    before = links(2)
    [at] = [
        at
        for at, link in enumerate(before)
        if link["kind"] == "initial weights" and link["model"] == 2
    ]
    found = first(with_change(with_change(before, at), 0), before)
    assert str(found) == (
        "initial weights: 0.dense.kernel of model 2; "
        "numpy.random had another state at the script's first line"
    )


def test_initial_weights_are_not_explained_by_what_comes_after_they_were_made():
    """They are told when the model is first used."""
    before = links()
    at = next(at for at, link in enumerate(before) if link["kind"] == "initial weights")
    before.insert(at, trails.generators("the first training begins"))
    found = first(with_change(with_change(before, at), at + 1), before)
    assert (found.kind, found.explanations) == ("initial weights", ())
    moved = with_change(with_change(with_change(before, at - 1), at), at + 1)
    assert "numpy.random had another state where model 1 is made" in str(first(moved, before))


def test_weights_that_were_changed_before_the_first_step():
    before, after = links(), links()
    after.insert(5, trails.weights(0))
    assert str(first(after, before)) == "weights: changed before the first step (only in the run)"
    loaded = with_change(after, 5)
    assert str(first(loaded, after)).startswith(
        "weights: 0.dense.kernel, as they were changed before the first step"
    )


def test_weights_are_bracketed_and_the_layer_is_named_by_its_number():
    before = links()
    at = next(at for at, link in enumerate(before) if link == trails.weights(2))
    costs = {1: Costs(None, 8)}
    after = with_change(before, at, WEIGHTS[1])
    assert str(first(after, before, costs=costs)) == (
        "weights: 1.batch_normalization.moving_mean after step 2; "
        "the costs of steps 1 and 2 are the same bits"
    )
    after = with_change(with_change(before, at + 2, WEIGHTS[2]), at + 2, WEIGHTS[1])
    found = first(after, before, costs=costs)
    assert str(found) == (
        "weights: 1.batch_normalization.moving_mean and 1 more between steps 5 and 8; "
        "the costs of steps 1 to 8 are the same bits"
    )
    assert (found.step, found.last_step) == (5, 8)
    assert "the costs" not in str(first(after, before))


@pytest.mark.parametrize(
    ("step", "kind", "place", "words"),
    [
        (1, "cost", (1, None), "cost of step 1 (the loss); data and weights before it are"),
        (3, "cost", (3, None), "cost of step 3 (the loss); data and weights before it are"),
        (5, "cost", (5, None), "cost of step 5 (the loss); data and weights before it are"),
        (6, "weights", (5, 6), "it is the update of step 5, or the data of step 6"),
        (8, "weights", (7, 8), "0.dense.kernel between steps 7 and 8: the cost of step 8 is"),
        (9, "cost", (9, None), "cost of step 9 (the loss); data and weights before it are"),
        (11, "weights", (10, 11), "some between steps 10 and 11: the cost of step 11 is"),
    ],
)
def test_the_costs_narrow_where_weights_part(step, kind, place, words):
    before = links()
    after = before
    for at, link in enumerate(before):
        if link["kind"] == "weights" and link["step"] >= step:
            after = with_change(after, at)
    found = first(after, before, costs={1: Costs(step, 12)})
    assert (found.kind, (found.step, found.last_step)) == (kind, place)
    assert words in str(found)


def test_a_cost_that_leaves_the_weights_as_they_are_is_named_as_a_cost():
    before = links()
    found = first(before, before, costs={1: Costs(6, 12)})
    assert (found.kind, found.step) == ("cost", 6)


@pytest.mark.parametrize("rounding", [False, True])
def test_a_cost_that_keras_returns_as_a_python_float_is_the_float32_it_was_made_of(rounding):
    """Keras 3 returns a Python float where Keras 2 has a float32."""
    before, [at] = links(), [n for n, link in enumerate(links()) if link["kind"] == "cost"]

    def costing(value):
        after = copy.deepcopy(before)
        after[at]["value"] = told(np.asarray(value))
        return after

    cost = np.float32(0.7)
    one, other = costing(cost), costing(float(cost))
    assert one[at]["value"]["digest"] != other[at]["value"]["digest"]
    assert first(other, one, rounding=rounding).kind == "results"
    assert first(one, other, rounding=rounding).kind == "results"
    beyond = first(costing(2 * float(cost)), one, rounding=rounding)
    assert beyond.kind == "cost"
    assert "float64" not in str(beyond)
    assert "(float32 -> float64)" in str(first(costing(0.7), one, rounding=rounding))
    assert "(float32 -> float64)" in str(first(costing(float("nan")), one, rounding=rounding))


def test_costs_of_every_eighth_step_say_nothing_of_steps():
    before = [
        {**link, "step": 8} if link["kind"] == "cost" else link
        for link in links()
        if link["kind"] != "weights" or link["step"] == 8
    ]
    assert first(before, before, costs={1: Costs(2, 3)}).kind == "results"


def test_weights_that_part_after_the_last_link():
    before = links()
    found = first(before, before, {1: Costs(None, 10)}, (Result("weights/0", is_weight=True),))
    assert str(found) == (
        "weights: weights/0 after step 8; the costs of steps 1 to 10 are the same bits"
    )


def test_initial_weights_that_were_replaced_are_not_the_reason():
    """Loaded weights, and those that parity gives."""
    before = links()
    before.insert(5, trails.weights(0))
    after = with_change(with_change(before, 4), 9)
    assert first(after, before).kind == before[9]["kind"] != "initial weights"
    alone = with_change(before, 4)
    assert first(alone, before).kind == "initial weights"
    assert first(alone, before, results=()) is None
    assert first(with_change(alone, 5), before).kind == "initial weights"


def test_a_file_is_named_with_what_it_changed():
    before = links()
    after = with_change(with_change(before, 2), 5)
    after[2]["bytes"] = 97
    assert str(first(after, before)) == (
        "file: data/points.csv (other bytes (96 -> 97)); "
        "then data: the first argument (x) of the first fit"
    )


def test_other_shapes_and_types_are_said():
    before, after = links(), links()
    after[5] = trails.data("x", np.ones((25, 2), np.float32))
    assert "the first argument (x) of the first fit (shape [24] -> [25, 2])" in str(
        first(after, before)
    )
    after[5] = trails.data("x", np.ones(24))
    assert "(float32 -> float64)" in str(first(after, before))


def test_data_by_their_words():
    places = {
        "the argument sample_weight of the second fit, batch 3": {
            "argument": "sample_weight", "number": 1, "batch": 3,
        },
        "the first argument (x[0]) of the third fit": {"argument": "x/0", "number": 2},
        "the argument validation_data[1] of the first fit": {"argument": "validation_data/1"},
        "the first argument (x) of the ninth predict of model 2": {
            "number": 8, "call": "predict", "model": 2,
        },
        "what was drawn[0] of the first DataLoader, batch 2": {
            "argument": "/0", "call": "DataLoader", "batch": 2, "model": None,
        },
        "the first argument (x) of the 10th call": {"call": "__call__", "number": 9},
    }  # fmt: skip
    for words, place in places.items():
        link = {**trails.data("x", np.ones(2)), **place}
        assert first([{**link, "value": changed(link["value"])}], [link]).place == words


def test_data_that_were_not_seen_are_said():
    before, after = links(), links()
    for side in (before, after):
        del side[5]["value"]
        side[5]["unseen"] = "drawn inside tensorflow.Dataset"
    at = next(at for at, link in enumerate(before) if link["kind"] == "cost")
    found = str(first(with_change(after, at), before))
    assert "weights before it are the same bits" in found
    assert "data and" not in found
    assert "first argument (x) of the first fit is not known (drawn inside tensorflow" in found


def test_without_figures_rounding_is_not_told_from_a_change():
    """As --no-data-statistics leaves data: nothing is named for its digest alone."""
    before, after = links(), links()
    for side, values in ((before, array := trails.array("x")), (after, array * 2)):
        side[5]["value"] = told(values, figures=False)
    assert is_named(first(after, before), before[5])
    at = next(at for at, link in enumerate(before) if link["kind"] == "cost")
    found = first(with_change(after, at), before, rounding=True)
    assert found.kind == "cost"
    assert "the first argument (x) of the first fit is not known" in str(found)


def test_another_order_is_said_where_it_may_be_rounding():
    before, after = links(), links()
    after[5]["value"] = told(trails.array("x", 1)[::-1])
    at = next(at for at, link in enumerate(before) if link["kind"] == "cost")
    found = first(with_change(after, at), before, rounding=True)
    assert found.kind == "cost"
    assert "other bits of the same norm, mean and extremes" in str(found)


def test_a_bias_that_rounding_alone_decides_is_not_named():
    """As one before a batch normalization: its gradient is a sum that cancels out."""
    before, after = links(), links()
    at = next(at for at, link in enumerate(before) if link["kind"] == "weights")
    for side, size in ((before, 5e-6), (after, 4e-6)):
        side[at]["weights"][WEIGHTS[2]] = told(np.array([size, -size], np.float32))
    assert first(after, before, results=(), rounding=True) is None
    assert WEIGHTS[2] in first(after, before).place


def test_a_hostile_trail_names_its_link():
    value = {**told(trails.array("x")), "shape": [2**62] * 40}
    link = {"kind": "weights", "model": 1, "step": 10**30, "weights": {"9" * 5000: value}}
    other = copy.deepcopy(link)
    other["weights"]["9" * 5000] = {**value, "digest": "d", "norm": 1e308}
    for rounding in (False, True):
        assert first([other], [link], rounding=rounding).kind == "weights"


def test_weights_that_were_thinned_to_one_digest():
    before = links()
    at = next(at for at, link in enumerate(before) if link["kind"] == "weights")
    before[at]["weights"] = {"all": {"digest": "a", "dtype": "", "shape": []}}
    after = copy.deepcopy(before)
    after[at]["weights"]["all"]["digest"] = "b"
    assert first(after, before).kind == "weights"
    assert first(after, before, rounding=True).kind == "results"
    assert first(after, links()).kind == "results"


def test_the_chain_says_what_is_not_known():
    before = [link for link in links() if link["kind"] in ("generators", "cost")]
    found = chain(question(before, before, results=()), State.SAME)
    assert [(station.name, str(station.state)) for station in found] == [
        ("environment", "same"),
        ("generators", "same"),
        ("data", "unknown"),
        ("initial weights", "unknown"),
        ("first step", "same"),
        ("later weights", "unknown"),
        ("results", "same"),
    ]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_costs_part_at_the_first_other_bit_or_beyond_rounding(dtype):
    costs = np.linspace(2, 1, 12, dtype=dtype)
    close, apart = costs.copy(), costs.copy()
    close[3:] = np.nextafter(close[3:], dtype(9))
    apart[3:] = close[3:]
    apart[7] *= dtype(1.5)
    name = np.dtype(dtype).name
    assert costs_of(costs, costs, None) == Costs(None, 12)
    assert costs_of(close, costs, None) == Costs(4, 12)
    assert costs_of(close, costs, name) == Costs(None, 12)
    assert costs_of(apart, costs[:10], name) == Costs(8, 10)
    apart[5] = np.nan
    assert costs_of(apart, costs, name) == costs_of(costs, apart, name) == Costs(6, 12)
    assert costs_of(apart, apart.copy(), name) == Costs(None, 12)
    assert costs_of(np.stack([costs, apart], 1), np.stack([costs, costs], 1), None).first == 4


def test_every_pair_of_kinds_keeps_the_order_of_time():
    before = links(2)
    for one, other in itertools.combinations(VALUES, 2):
        found = first(with_change(with_change(before, one), other), before)
        assert is_named(found, before[one])
