"""What searches have kept goes, and what does not go is said."""

import os

import pytest

from keras_repro.errors import CannotWriteError
from keras_repro.packages import resolve
from keras_repro.studies import prune
from tests.unit.made import make_run


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "keras-repro"
    for name in ("one", "two"):
        make_run(folder / "probes" / name / "my" / "jax")
    (folder / resolve.KEPT).mkdir()
    (folder / resolve.KEPT / "one.txt").write_text("six==1.0")
    return folder


def test_all_goes(cache):
    assert prune.prune([]).runs == 2
    assert os.listdir(cache) == []


def test_what_a_worker_was_sent_goes_and_is_counted(cache):
    bare = prune.kept([]).bytes
    folder = cache / "sent" / ("0" * 64)
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("pass\n" * 9_999)
    assert prune.kept([]).bytes > bare + 40_000
    prune.prune([])
    assert os.listdir(cache) == []


def test_what_cannot_be_removed_is_said_and_all_else_goes(cache, monkeypatch):
    unlink = os.unlink

    def fails(path, **options):
        if path == "log.txt":
            raise OSError(5, "Input/output error")
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fails)
        with pytest.raises(CannotWriteError, match=r"cannot remove .*log\.txt: Input/output error"):
            prune.prune([])
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {"log.txt"}
    assert prune.prune([]).runs == 2
    assert os.listdir(cache) == []


def test_what_variations_left_beside_the_last_runs_goes_and_nothing_else(cache, tmp_path):
    artifacts = tmp_path / "artifacts"
    make_run(artifacts / "my" / "jax")
    kept, other = (artifacts / "my" / f"{name}.runs" for name in ("jax", "torch"))
    for name in ("0123456789abcdef", "0123456789abcdef.failed"):
        make_run(kept / name)
    (kept / ".0123456789abcdef.lock").touch()
    make_run(other / "0123456789abcdef")
    (other / "notes.txt").write_text("mine")
    (artifacts / "my" / "mine.runs").mkdir()
    assert prune.prune([], artifacts=artifacts).runs == 2 + 3
    assert sorted(path.name for path in (artifacts / "my").iterdir()) == [
        "jax",
        "mine.runs",
        "torch.runs",
    ]
    assert [path.name for path in other.iterdir()] == ["notes.txt"]
