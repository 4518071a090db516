"""Locks: one holds, the others wait, and nothing of them is left."""

import threading

import pytest

from keras_repro.errors import CannotWriteError
from keras_repro.runs.locks import locked, locked_folder


def test_one_writes_a_folder_at_a_time_and_nothing_is_left(tmp_path):
    folder, inside, most = tmp_path / "new" / "jax", [], []

    def write():
        with locked_folder(folder, lambda: None):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=write) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] * 200
    assert not any(tmp_path.rglob(".jax.lock"))


def test_whoever_waits_says_so_and_goes_on_when_the_lock_is_gone(tmp_path):
    waits, entered = threading.Event(), threading.Event()

    def second():
        with locked_folder(tmp_path / "jax", waits.set):
            entered.set()

    thread = threading.Thread(target=second)
    with locked_folder(tmp_path / "jax", lambda: None):
        thread.start()
        assert waits.wait(10)
        assert not entered.is_set()
    assert entered.wait(10)
    thread.join(10)
    assert not any(tmp_path.iterdir())


def test_a_shared_lock_keeps_out_only_who_wants_it_alone(tmp_path):
    path, said = tmp_path / ".lock", []
    with (
        locked(path, lambda: said.append("shared"), shared=True),
        locked(path, lambda: said.append("shared"), shared=True),
    ):
        thread = threading.Thread(target=lambda: _hold(path, said))
        thread.start()
        thread.join(0.2)
        assert said == ["waits"]
    thread.join(10)
    assert said == ["waits", "alone"]


def _hold(path, said):
    with locked(path, lambda: said.append("waits")):
        said.append("alone")


def test_a_folder_that_cannot_be_locked(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(CannotWriteError, match="nothing was written"),
        locked_folder(tmp_path / "file" / "jax", lambda: None),
    ):
        raise AssertionError
