"""Baselines: accepted on purpose, replaced whole, and noticed when edited."""

import errno
import hashlib
import json
import os
import shutil

import numpy as np
import pytest

from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.recorder import contract
from keras_repro.runs import baselines, replace_folder
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.run import read_run
from keras_repro.runs.write_baseline import write_baseline
from tests.unit.made import changed, make_run

TOLERANCES = {
    "costs/*": Tolerances(rtol=1e-5),
    "weights/*.kernel": Tolerances(rtol=1e-6, atol=1e-7),
}


def entry(reason):
    return [HistoryEntry(accepted="2026-01-01T00:00:00+00:00", reason=reason)]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "baselines" / "regression" / "jax"
    run = read_run(make_run(tmp_path / "jax"))
    write_baseline(folder, run, "regression", TOLERANCES, entry("because"))
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

    monkeypatch.setattr(replace_folder, "_to_disk", full)
    with pytest.raises(CannotWriteError, match="No space left"):
        write_baseline(folder, run, "regression", TOLERANCES, entry("other"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_arrays_that_cannot_be_hashed_are_no_baseline(folder, tmp_path, monkeypatch, fails_at):
    """Not the copy of the run, and not what is made of it and the old one."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run, kept = read_run(make_run(tmp_path / "jax")), baselines.read_baseline(folder)
    digest, calls = hashlib.file_digest, []

    def broken(file, name):
        calls.append(file)
        if len(calls) == fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", broken)
    with pytest.raises(UnreadableError, match="Input/output error"):
        write_baseline(folder, run, "regression", TOLERANCES, entry("other"), kept, ("weights/*",))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_baseline_whose_arrays_cannot_be_hashed_is_not_taken_for_edited(folder, broken_disk):
    with pytest.raises(UnreadableError, match="Input/output error"):
        baselines.read_baseline(folder)


def test_a_run_without_a_hash_is_no_baseline(folder, tmp_path):
    run = read_run(make_run(tmp_path / "jax", arrays_sha256=None))
    with pytest.raises(UnreadableError, match="has no SHA-256"):
        write_baseline(folder, run, "regression", TOLERANCES, entry("other"))


def written(folder, tmp_path, number=2):
    run = read_run(make_run(tmp_path / "jax", changed("costs/train", number)))
    return write_baseline(folder, run, "regression", TOLERANCES, entry("other"))


def test_what_a_person_added_is_kept(folder, tmp_path):
    (folder / "notes").mkdir()
    (folder / "notes" / "why.md").write_text("because")
    (folder / "link").symlink_to("notes")
    assert not written(folder, tmp_path)
    assert (folder / "notes" / "why.md").read_text() == "because"
    assert (folder / "link").is_symlink()
    assert baselines.read_baseline(folder).facts.reason == "other"


def test_an_old_one_that_cannot_be_removed_is_told_and_the_new_one_stands(
    folder, tmp_path, monkeypatch
):
    """As where the disk breaks just then."""
    rmtree = shutil.rmtree

    def broken(path, ignore_errors=False, **options):
        if not ignore_errors:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(shutil, "rmtree", broken)
    said = written(folder, tmp_path)
    assert said.startswith(f"the new baseline stands in {folder}, but")
    assert "Input/output error; remove " in said
    assert baselines.read_baseline(folder).facts.reason == "other"
    assert len(list(folder.parent.iterdir())) == 2
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    assert not written(folder, tmp_path, 3)  # the next one tidies up
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_where_folders_cannot_be_swapped_in_one_step_what_is_said_agrees(
    folder, tmp_path, monkeypatch, fails_at
):
    """The third rename puts the old one aside: the new one stands by then."""
    rename, calls = os.rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target)

    def three_renames(first, second):
        for source, target in ((second, f"{first}.old"), (first, second), (f"{first}.old", first)):
            os.rename(source, target)

    monkeypatch.setattr(contract, "exchange", three_renames)
    monkeypatch.setattr(os, "rename", failing)
    if fails_at == 3:
        assert not written(folder, tmp_path)
    else:
        with pytest.raises(CannotWriteError, match="what was there is untouched"):
            written(folder, tmp_path)
    reason = "other" if fails_at == 3 else "because"
    assert baselines.read_baseline(folder).facts.reason == reason
    assert [path.name for path in folder.parent.iterdir()] == ["jax"]
