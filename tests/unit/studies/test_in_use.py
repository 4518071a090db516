"""What is kept is not removed while another command works with it."""

import os
import threading

import pytest

from keras_repro.errors import CannotWriteError
from keras_repro.studies import trial
from keras_repro.studies.in_use import in_use
from keras_repro.studies.prune import prune


@pytest.fixture
def kept_run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = trial.folder() / "a-run"
    place.mkdir(parents=True)
    return place


def test_prune_waits_for_who_works_with_what_is_kept(kept_run):
    waits = threading.Event()
    thread = threading.Thread(target=lambda: prune([], waits.set))
    with in_use(lambda: None):
        thread.start()
        assert waits.wait(60)
        assert kept_run.is_dir()
    thread.join(60)
    assert not kept_run.exists()
    assert not any(trial.folder().parent.iterdir())


def test_a_command_that_trains_keeps_what_is_kept(kept_run, keras_repro, tmp_path):
    """As any that chooses an engine does."""
    waits = threading.Event()
    thread = threading.Thread(target=lambda: prune([], waits.set))
    with in_use(lambda: None):
        thread.start()
        assert waits.wait(60)
        (tmp_path / "keras-repro.toml").write_text("")
        done = keras_repro("backends", "--engine", "local", XDG_CACHE_HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr  # two that share it do not wait for each other
    thread.join(60)


def test_prune_that_may_not_write_says_so(kept_run, keras_repro, tmp_path):
    (tmp_path / "keras-repro" / ".lock").mkdir()
    done = keras_repro("prune", "--engine", "local", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 7
    assert done.stderr.count("\n") == 1
    assert "cannot remove" in done.stderr
    assert kept_run.is_dir()


def test_what_cannot_be_removed_is_said_and_all_else_goes(kept_run, monkeypatch):
    for name in ("one", "two"):
        (kept_run / name).touch()
    unlink = os.unlink

    def fails(path, **options):
        if path == "one":
            raise OSError(5, "Input/output error")
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", fails)
    with pytest.raises(CannotWriteError, match=r"cannot remove .*one: Input/output error"):
        prune([])
    assert [path.name for path in kept_run.iterdir()] == ["one"]
