"""A trail stays under its limit, and what it leaves out does not hang on what it tells."""

import json

import pytest

from keras_repro.recorder.contract import MOST_TRAIL_BYTES
from keras_repro.recorder.trail import thinning
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import told

pytestmark = pytest.mark.long


def links(trail):
    return json.loads(trail.text())["links"]


def weights(count, value):
    return {f"{n}.dense.kernel": told([value + n] * 3) for n in range(count)}


def test_links_are_kept_in_their_order():
    trail = Trail()
    trail.add("generators", at="the script's first line", states={"random": "0"})
    trail.add("cost", 1, model=1, value=told(0.5))
    assert [link["kind"] for link in links(trail)] == ["generators", "cost"]
    assert json.loads(trail.text())["left_out"] == 0


@pytest.mark.parametrize("count", [1, 3, 300, 5000])
@pytest.mark.parametrize("steps", [1, 14])
def test_it_is_never_larger_than_its_limit(count, steps):
    def made(value):
        trail = Trail()
        trail.add("initial weights", model=1, weights=weights(count, value))
        for number in range(40 * steps):
            place = {"model": 1, "call": "fit", "number": number, "argument": "x"}
            trail.add("data", number, value=told([value]), **place)
        for step in range(steps):
            trail.add("weights", 1 << step, model=1, weights=weights(count, value))
        return trail

    one, other = made(0.5), made(123.25)
    for trail in (one, other):
        assert len(trail.text().encode()) <= MOST_TRAIL_BYTES
    places = [
        [(link["kind"], link["step"], sorted(link.get("weights", ()))) for link in links(trail)]
        for trail in (one, other)
    ]
    assert places[0] == places[1]
    assert {"initial weights", "data", "weights"} <= {kind for kind, _, _ in places[0]}
    assert [step for kind, step, _ in places[0] if kind == "weights"][-1] == 1 << (steps - 1)
    different = [link != twin for link, twin in zip(links(one), links(other), strict=True)]
    assert all(different)


def test_it_takes_no_memory_without_end(monkeypatch):
    monkeypatch.setattr("keras_repro.recorder.trail.trail.MOST_LINKS", 10)
    trail = Trail()
    for number in range(15):
        trail.add("file", path=str(number))
    document = json.loads(trail.text())
    assert (len(document["links"]), document["left_out"]) == (10, 5)


def crowded(what, value):
    """Return a trail of very many, or very long, things of one kind."""
    trail, facts = Trail(), told(value)
    trail.add("generators", at="the script's first line", states={"random": "0"})
    if what == "models":
        for model in range(1, 3001):
            trail.add("initial weights", model=model, weights=dict.fromkeys("ab", facts))
            trail.add("data", model=model, call="fit", number=0, argument="x", value=facts)
            trail.add("cost", 1, model=model, value=facts)
            trail.add("weights", 1, model=model, weights=dict.fromkeys("ab", facts))
    elif what == "weights":
        names = [f"{number}.dense.kernel" for number in range(30_000)]
        trail.add("initial weights", model=1, weights=dict.fromkeys(names, facts))
        trail.add("weights", 1, model=1, weights=dict.fromkeys(names, facts))
    elif what == "files":
        for number in range(25_000):
            trail.add("file", path=f"data/{number}.csv", bytes=1, digest="0" * 16)
    elif what == "inserted":
        for number in range(25_000):
            link = {"kind": "data", "step": 0, "batch": 0, "number": number, "value": facts}
            trail.insert(len(trail.links), [link])
    else:
        name = {"names": "a", "odd": "\ud800\x00é"}[what] * 300_000
        trail.add("initial weights", model=1, weights={name: facts, name + "b": facts})
        trail.add("data", call="fit", number=0, argument=name, value=facts)
        trail.add("file", path=name, bytes=1, digest="0")
    trail.add("generators", at="the end", states={"random": "0"})
    return trail


@pytest.mark.parametrize("what", ["models", "weights", "files", "inserted", "names", "odd"])
def test_whatever_a_script_does_it_stays_small_and_says_what_it_left_out(what):
    one, other = (crowded(what, value) for value in (0.0, -1.23456789e-300))
    texts = [trail.text() for trail in (one, other)]
    assert all(len(text.encode()) <= MOST_TRAIL_BYTES for text in texts)
    found = [json.loads(text) for text in texts]
    places = [[(link["kind"], link.get("model")) for link in each["links"]] for each in found]
    assert places[0] == places[1]  # whatever the figures
    assert found[0]["links"][-1]["at"] == "the end"
    for trail, document in zip((one, other), found, strict=True):
        given = len(trail.links) + trail.left_out
        assert document["left_out"] == given - len(document["links"])
    if what in ("names", "odd"):
        weights_of = [link["weights"] for link in found[0]["links"] if "weights" in link]
        assert len(weights_of[0]) == 2  # two long names stay two


def test_it_is_thinned_in_linear_time(monkeypatch):
    looked_at = []
    room_of = thinning.room_of
    monkeypatch.setattr(thinning, "room_of", lambda value: looked_at.append(0) or room_of(value))
    trail = crowded("models", 0.5)
    looked_at.clear()
    trail.text()
    parts = 40  # that a link of it has
    assert len(looked_at) <= 3 * parts * len(trail.links)


def test_it_holds_no_more_than_a_few_megabytes(monkeypatch):
    monkeypatch.setattr("keras_repro.recorder.trail.trail.IN_SHORT", 2_000)
    monkeypatch.setattr("keras_repro.recorder.trail.trail.BY_ONE", 4_000)
    monkeypatch.setattr("keras_repro.recorder.trail.trail.MOST_HELD", 8_000)
    trail = Trail()
    for step in range(200):
        trail.add("weights", step, model=1, weights=weights(3, step))
    assert sum(len(json.dumps(link)) for link in trail.links) <= 8_000
    assert trail.left_out == 200 - len(trail.links)
    told_by = [sorted(link["weights"]) for link in trail.links]
    assert (len(told_by[0]), told_by[-1]) == (3, ["all"])
