"""A worker's run takes its place whole, or not at all."""

import json

import numpy as np
import pytest

from keras_repro.engines.cluster.bundle import pack
from keras_repro.engines.cluster.received import publish
from keras_repro.errors import UnreadableError
from keras_repro.runs.run import read_run
from tests.unit.made import ARRAYS, changed, make_run


@pytest.fixture
def answer(tmp_path):
    """Make an answer: of a good run, a failed one, or none."""

    def make(arrays=ARRAYS, outcome="completed", more=None, ended='{"status": 0, "complaint": ""}'):
        folder = tmp_path / f"answer-{len(list(tmp_path.iterdir()))}"
        if outcome == "failed":
            make_run(folder / "run", {}, outcome="failed", reason="ValueError: no")
        elif outcome:
            make_run(folder / "run", arrays)
        folder.mkdir(exist_ok=True)
        for name, content in (more or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        if ended is not None:
            (folder / "ended.json").write_text(ended)
        return pack(folder)

    return make


@pytest.fixture
def out(tmp_path):
    return tmp_path / "artifacts" / "regression" / "jax"


def test_a_run_takes_its_place_and_leaves_what_a_person_added(answer, out):
    assert publish(answer(), out) == {"status": 0, "complaint": ""}
    (out / "notes.md").write_text("mine")
    publish(answer(changed("weights/0.dense.kernel", 2)), out)
    assert read_run(out).arrays["weights/0.dense.kernel"].load() == np.float32(1.0)
    assert (out / "notes.md").read_text() == "mine"
    assert sorted(path.name for path in out.parent.iterdir()) == ["jax"]


def test_a_failed_run_takes_no_good_ones_place_and_goes_with_the_next(answer, out):
    publish(answer(outcome="failed"), out)
    assert not read_run(out).facts.completed
    publish(answer(), out)
    publish(answer(outcome="failed"), out)
    assert read_run(out).facts.completed
    assert not read_run(out.with_name("jax.failed")).facts.completed
    publish(answer(), out)
    assert not out.with_name("jax.failed").exists()


def test_where_there_is_no_run_nothing_changes(answer, out):
    publish(answer(), out)
    ended = json.dumps({"error": 5, "message": "no engine"})
    assert publish(answer(outcome="", ended=ended), out)["message"] == "no engine"
    assert read_run(out).facts.completed


@pytest.mark.parametrize(
    "hostile",
    [
        {"ended": "[]"},
        {"ended": "{"},
        {"ended": "[" * 10**5},
        {"ended": None},
        {"more": {"run/run.json": b"{}"}},
        {"more": {"run/run.json": b"[" * 10**5}},
        {"more": {"run/evil.sh": b"#!/bin/sh"}},
        {"more": {"run/authorized_keys": b"ssh-rsa"}},
    ],
)
def test_what_is_no_answer_changes_nothing(answer, out, hostile):
    publish(answer(), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UnreadableError, match=r"sent|damaged"):
        publish(answer(changed("weights/0.dense.kernel", 2), **hostile), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["jax"]
