"""What a run replaced is looked for beside it, and no other training's is taken for it."""

import os

import pytest

from keras_repro.recorder import contract, folder
from keras_repro.runs.run import read_run
from keras_repro.studies.train.left import left_beside
from tests.unit.made import change_facts, make_run


@pytest.fixture
def out(tmp_path):
    """A run, whose lock was taken and let go, beside the one that it replaced."""
    made = make_run(tmp_path / "jax")
    with folder.locked(str(made), lambda: None):
        folder.prepare(str(made))
    return made


def left(out):
    return [path.name for path in left_beside(out, read_run(out))]


def test_what_another_training_writes_by_now_is_not_left(out):
    assert left(out) == [".jax.partial"]
    with folder.locked(str(out), lambda: None):
        assert left(out) == []
    assert left(out) == [".jax.partial"]


def test_a_lock_that_nobody_made_is_held_by_nobody(out):
    lock = out.with_name(".jax.lock")
    lock.unlink()
    assert left(out) == [".jax.partial"]
    assert not lock.exists()


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink("jax/run.json", path)]
)
def test_what_is_no_lock_is_neither_waited_for_nor_followed(out, make):
    lock = out.with_name(".jax.lock")
    lock.unlink()
    make(lock)
    assert left(out) == []


@pytest.mark.parametrize(("started", "names"), [("2025", ["jax.failed"]), ("2027", [])])
def test_a_failed_run_that_was_made_later_is_another_trainings(out, started, names):
    folder.clear(contract.staging_folder(str(out)), str(out))
    failed = make_run(out.with_name("jax.failed"), {}, outcome="failed", reason="no")
    change_facts(failed, started=f"{started}-06-01T00:00:00+00:00")
    assert left(out) == names
    (failed / contract.FACTS).write_text("no facts")
    assert left(out) == ["jax.failed"]


def test_a_failed_run_leaves_another_where_it_is(out):
    folder.clear(contract.staging_folder(str(out)), str(out))
    make_run(out.with_name("jax.failed"), {}, outcome="failed", reason="no")
    assert left(out) == ["jax.failed"]
    assert left_beside(out, None) == []
