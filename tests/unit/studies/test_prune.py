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
