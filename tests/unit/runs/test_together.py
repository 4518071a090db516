"""The files of a run are of one run, also where a training puts another in its place meanwhile."""

import shutil
import threading
from contextlib import suppress

import pytest

from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs import run as runs
from keras_repro.runs.baselines import read_baseline
from keras_repro.runs.run import last_run, read_run
from keras_repro.runs.together import ATTEMPTS, together
from tests.unit.made import ARRAYS, change_facts, make_run

NAME = "weights/0.dense.kernel"
OTHERS = {**ARRAYS, NAME: ARRAYS[NAME] + 1}


@pytest.fixture
def exchanged(tmp_path):
    """A run, and a function that puts another in its place, as a training does."""
    place, staging = make_run(tmp_path / "jax"), make_run(tmp_path / "other", OTHERS)

    def exchange():
        contract.exchange(str(staging), str(place))
        shutil.rmtree(staging)

    return place, exchange


def test_the_arrays_are_those_of_the_facts(exchanged):
    place, exchange = exchanged
    run = read_run(place)
    exchange()
    run.check_arrays()
    assert (run.arrays[NAME].load() == ARRAYS[NAME]).all()
    assert (read_run(place).arrays[NAME].load() == OTHERS[NAME]).all()


def test_a_run_that_another_replaces_while_it_is_read_is_read_anew(exchanged, monkeypatch):
    place, exchange = exchanged
    read, waiting = runs.read_document, [exchange]

    def slowly(path, model, *more):
        if waiting:
            waiting.pop()()
        return read(path, model, *more)

    monkeypatch.setattr(runs, "read_document", slowly)
    run = read_run(place)
    run.check_arrays()
    assert (run.arrays[NAME].load() == OTHERS[NAME]).all()


def test_a_failed_run_that_goes_meanwhile_leaves_the_good_one(tmp_path, monkeypatch):
    place = make_run(tmp_path / "jax")
    failed = make_run(tmp_path / "jax.failed", outcome="failed", reason="because")
    read = runs.read_run

    def slowly(folder):
        shutil.rmtree(failed, ignore_errors=True)
        return read(folder)

    monkeypatch.setattr(runs, "read_run", slowly)
    assert last_run(place).facts.completed


def test_a_baseline_is_read_together_too(tmp_path, monkeypatch):
    def make(name, arrays):
        folder = make_run(tmp_path / name, arrays)
        entry = {"accepted": "2026-01-01T00:00:00+00:00", "reason": "r"}
        change_facts(folder, workload="w", tolerances={}, history=[], **entry)
        return (folder / contract.FACTS).rename(folder / "baseline.json").parent

    place, other = make("jax", ARRAYS), make("other", OTHERS)
    from keras_repro.runs import baselines

    read, waiting = baselines.read_document, [1]

    def slowly(path, model, *more):
        if waiting:
            waiting.pop()
            contract.exchange(str(other), str(place))
        return read(path, model, *more)

    monkeypatch.setattr(baselines, "read_document", slowly)
    baseline = read_baseline(place)
    assert not baseline.edited
    assert (baseline.arrays[NAME].load() == OTHERS[NAME]).all()


def test_many_replacements(tmp_path):
    place, ended = make_run(tmp_path / "jax"), threading.Event()

    def replace():
        try:
            for number in range(60):
                staging = make_run(tmp_path / "new", OTHERS if number % 2 else ARRAYS)
                contract.exchange(str(staging), str(place))
                shutil.rmtree(staging)
        finally:
            ended.set()

    thread = threading.Thread(target=replace)
    thread.start()
    while not ended.is_set():
        with suppress(MissingError):  # where no system call exchanges folders, there is a moment
            read_run(place).check_arrays()
    thread.join()


def test_what_is_wrong_with_a_folder_that_stays_is_said_at_once(tmp_path):
    called = []

    def read():
        called.append(1)
        raise MissingError("no")

    with pytest.raises(MissingError):
        together(tmp_path, read)
    assert called == [1]


def test_a_folder_that_never_stays_ends_in_an_error(tmp_path):
    place, other = tmp_path / "place", tmp_path / "other"
    place.mkdir()
    other.mkdir()
    called = []

    def read():
        called.append(1)
        contract.exchange(str(place), str(other))
        raise UnreadableError("no")

    with pytest.raises(UnreadableError):
        together(place, read)
    assert len(called) == ATTEMPTS
