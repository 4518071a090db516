"""Reading trails: strict about types, and whatever a hostile script wrote in their place."""

import json
import math
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.run import read_run
from keras_repro.runs.trail import Trail, TrailFile, read_trail
from tests.conftest import ROOT
from tests.unit.made import make_run
from tests.unit.trails import links

VALUE = {"digest": "d", "dtype": "float32", "shape": [2]}


def of(found):
    return TrailFile(Path("trail.json"), json.dumps(found).encode()).trail


def trail(*found, **more):
    return of({"schema_version": 1, "links": list(found), **more})


def test_every_link_is_read_as_it_is_written():
    found = trail(*links(2), left_out=3)
    assert found.left_out == 3
    assert [link.kind for link in found.links] == [link["kind"] for link in links(2)]
    for link, written in zip(found.links, links(2), strict=True):
        assert link.model_dump(mode="json", exclude_unset=True) == written


def test_the_example_of_the_reference_is_a_trail():
    text = (ROOT / "docs" / "reference" / "trail.md").read_text()
    example = text.partition("```json\n")[2].partition("```")[0]
    assert [link.kind for link in of(json.loads(example)).links] == [
        "generators",
        "generators",
        "file",
        "data",
        "initial weights",
        "cost",
        "weights",
    ]


def test_figures_that_are_not_finite_are_texts():
    figures = {"mean": "nan", "minimum": "-inf", "maximum": "inf", "norm": 10**400}
    link = {"kind": "cost", "step": 1, "value": {**VALUE, **figures}}
    value = trail(link).links[0].value
    assert math.isnan(value.mean)
    assert (value.minimum, value.maximum, value.norm) == (-math.inf, math.inf, math.inf)


def test_links_and_fields_that_a_later_version_adds_are_passed_over():
    later = {"kind": "weather", "step": 1}
    found = trail(later, {"kind": "generators", "at": "here", "states": {}, "moved": ["x"]}, more=1)
    assert [link.kind for link in found.links] == ["generators"]


@pytest.mark.parametrize(
    "link",
    [
        3,
        {"kind": 3},
        {"at": "here", "states": {}},
        {"kind": "generators", "at": 1, "states": {}},
        {"kind": "generators", "at": "here", "states": {"random": 1}},
        {"kind": "generators", "at": "here", "states": {}, "drew": {"random": "10"}},
        {"kind": "file", "path": "a", "bytes": -1, "digest": "d"},
        {"kind": "data", "model": True, "value": VALUE},
        {"kind": "data", "value": {**VALUE, "shape": ["2"]}},
        {"kind": "data", "value": {**VALUE, "mean": "1.0"}},
        {"kind": "data", "value": {**VALUE, "norm": True}},
        {"kind": "cost", "step": "1", "value": VALUE},
        {"kind": "cost", "step": 1.0, "value": VALUE},
        {"kind": "weights", "step": 1, "weights": [VALUE]},
    ],
)
def test_other_types_are_damage(link):
    with pytest.raises(UnreadableError, match="damaged"):
        trail(link)


def test_a_newer_schema_is_refused():
    with pytest.raises(UnreadableError, match="use a newer keras-repro"):
        of({"schema_version": 99, "links": []})


def test_a_folder_without_one_has_none(tmp_path):
    run = read_run(make_run(tmp_path / "run"))
    assert run.trail.trail is None
    assert run.trail.sha256 is None


@pytest.mark.parametrize("harm", ["link", "folder", "pipe", "large", "deep", "text"])
def test_what_stands_in_its_place_is_damage(tmp_path, harm):
    folder = make_run(tmp_path / "run")
    path = folder / contract.TRAIL
    if harm == "link":
        (tmp_path / "other").write_text('{"schema_version": 1, "links": []}')
        path.symlink_to(tmp_path / "other")
    elif harm == "folder":
        path.mkdir()
    elif harm == "pipe":
        os.mkfifo(path)
    elif harm == "large":
        whole = '{"schema_version": 1, "links": []}'
        path.write_text(whole + " " * (contract.MOST_TRAIL_BYTES - len(whole)))
        assert read_trail(folder).trail == Trail(schema_version=1, links=[])
        path.write_text(path.read_text() + " ")
    else:
        path.write_text({"deep": "[" * 100000, "text": '"\\ud800"'}[harm])
    with pytest.raises(UnreadableError, match="damaged"):
        read_run(folder).trail.trail  # noqa: B018


def test_it_is_that_of_the_folder_which_was_read(tmp_path):
    """Another run takes the folder's place afterwards."""
    folder = make_run(tmp_path / "run", trail=links())
    run = read_run(folder)
    make_run(folder, trail=[])
    assert len(run.trail.trail.links) == len(links())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(range(len(links()))), st.data())
def test_whatever_stands_in_a_field_is_read_or_is_damage(at, more):
    found = links()
    link = found[at]
    link[more.draw(st.sampled_from(sorted(link)))] = more.draw(json_values)
    try:
        assert trail(*found) is not None
    except UnreadableError as error:
        assert "damaged" in str(error)
