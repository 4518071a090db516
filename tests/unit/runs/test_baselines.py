"""Baselines: accepted on purpose, replaced whole, and noticed when edited."""

import json
import os

import numpy as np
import pytest

from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.runs import baselines
from keras_repro.runs.run import read_run
from tests.unit.made import changed, make_run

TOLERANCES = {
    "costs/*": Tolerances(rtol=1e-5),
    "weights/*.kernel": Tolerances(rtol=1e-6, atol=1e-7),
}


def entry(reason):
    return [baselines.HistoryEntry(accepted="2026-01-01T00:00:00+00:00", reason=reason)]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "baselines" / "regression" / "jax"
    run = read_run(make_run(tmp_path / "jax"))
    baselines.write_baseline(folder, run, "regression", TOLERANCES, entry("because"))
    return folder


def test_a_baseline_reads_back(folder):
    baseline = baselines.read_baseline(folder)
    assert not baseline.edited
    assert baseline.facts.reason == "because"
    document = json.loads((folder / "baseline.json").read_text())
    for name in ("accepted", "script_sha256", "seed", "python", "cpu", "packages", "tolerances"):
        assert name in document
    assert {path.name for path in folder.iterdir()} == {"arrays.npz", "baseline.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]


def test_the_first_matching_pattern_gives_the_tolerance(folder):
    baseline = baselines.read_baseline(folder)
    assert baseline.tolerance_of("costs/train").rtol == 1e-5
    assert baseline.tolerance_of("weights/0.dense.kernel").atol == 1e-7
    unknown = baseline.tolerance_of("weights/0.dense.bias")
    assert (unknown.rtol, unknown.atol) == (0.0, 0.0)


def test_an_edited_baseline_is_noticed(folder):
    np.savez(folder / "arrays.npz", **changed("weights/0.dense.kernel", 1.001))
    assert baselines.read_baseline(folder).edited


def test_a_corrupted_baseline_is_noticed(folder):
    path = folder / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UnreadableError, match="damaged"):
        baselines.read_baseline(folder)


def test_no_baseline(tmp_path):
    with pytest.raises(MissingError, match="no baseline"):
        baselines.read_baseline(tmp_path)


def test_one_that_cannot_be_written_leaves_the_old_one_as_it_was(folder, tmp_path, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = read_run(make_run(tmp_path / "jax", changed("costs/train", 2)))

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(baselines, "_to_disk", full)
    with pytest.raises(CannotWriteError, match="No space left"):
        baselines.write_baseline(folder, run, "regression", TOLERANCES, entry("other"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]


@pytest.mark.parametrize("links", [True, False])
def test_what_a_person_added_is_there_whatever_fails(folder, tmp_path, monkeypatch, links):
    (folder / "notes.md").write_text("mine")
    (folder / "plots").mkdir()
    (folder / "plots" / "one.png").write_text("mine too")
    run = read_run(make_run(tmp_path / "jax", changed("weights/0.dense.kernel", 2)))

    def fails(*arguments, **options):
        raise OSError(28, "No space left on device")

    def mine():
        return (folder / "notes.md").read_text(), (folder / "plots" / "one.png").read_text()

    with monkeypatch.context() as patch:
        patch.setattr(baselines.contract, "exchange", fails)
        with pytest.raises(CannotWriteError, match="untouched"):
            baselines.write_baseline(folder, run, "regression", {}, entry("other"))
    assert mine() == ("mine", "mine too")
    assert baselines.read_facts(folder).reason == "because"
    with monkeypatch.context() as patch:
        if not links:
            patch.setattr(baselines.os, "link", fails)
        baselines.write_baseline(folder, run, "regression", {}, entry("other"))
    assert mine() == ("mine", "mine too")
    assert baselines.read_facts(folder).reason == "other"
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]


def test_tidying_that_fails_is_no_failure(folder, tmp_path, monkeypatch):
    run = read_run(make_run(tmp_path / "jax", changed("weights/0.dense.kernel", 2)))

    def fails(*arguments, **options):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fails)
        baselines.write_baseline(folder, run, "regression", {}, entry("other"))
    assert baselines.read_facts(folder).reason == "other"
    baselines.write_baseline(folder, run, "regression", {}, entry("third"))
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]
