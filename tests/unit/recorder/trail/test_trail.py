"""A trail stays under its limit, and what it leaves out does not hang on what it tells."""

import json

import pytest

from keras_repro.recorder.contract import MOST_TRAIL_BYTES
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import told


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
