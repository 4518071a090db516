"""The files of a run are of one run, also where a training puts another in its place meanwhile."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs import run as runs
from keras_repro.runs.baselines import read_baseline, read_facts
from keras_repro.runs.run import last_run, read_run
from keras_repro.runs.together import ATTEMPTS, PATIENCE, together
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


def make_baseline(folder, arrays):
    make_run(folder, arrays)
    entry = {"accepted": "2026-01-01T00:00:00+00:00", "reason": "r"}
    change_facts(folder, workload="w", tolerances={}, history=[], **entry)
    return (folder / contract.FACTS).rename(folder / "baseline.json").parent


def test_a_baseline_is_read_together_too(tmp_path, monkeypatch):
    place = make_baseline(tmp_path / "jax", ARRAYS)
    other = make_baseline(tmp_path / "other", OTHERS)
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


@pytest.fixture
def two_renames(monkeypatch):
    """Take away the system call that exchanges folders, and have each rename take a while."""
    rename = os.rename

    def slowly(*names, **more):
        rename(*names, **more)
        time.sleep(0.002)

    monkeypatch.setattr(contract.ctypes, "CDLL", lambda *_, **__: object())
    monkeypatch.setattr(os, "rename", slowly)


@pytest.mark.parametrize("way", ["one step", "two renames"])
def test_many_replacements(way, tmp_path, request):
    place, ended = make_run(tmp_path / "jax"), threading.Event()
    if way == "two renames":
        request.getfixturevalue("two_renames")

    def replace():
        try:
            for number in range(60):
                made = make_run(tmp_path / "new", OTHERS if number % 2 else ARRAYS)
                staging = made.rename(contract.staging_folder(str(place)))
                contract.exchange(str(staging), str(place))
                shutil.rmtree(staging)
        finally:
            ended.set()

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        while not ended.is_set():
            read_run(place).check_arrays()
    finally:
        thread.join()


def run_in_two_renames(folder, arrays=ARRAYS, **facts):
    """Make a run, and of another the first of the two renames; return what does the second."""
    good = str(folder).removesuffix(".failed")
    place = make_run(folder, **facts)
    staging = make_run(folder.parent / "other", arrays, **facts)
    staging = staging.rename(contract.staging_folder(good))
    place.rename(contract.aside(str(staging)))
    return lambda: staging.rename(place)


@pytest.fixture
def while_waiting(monkeypatch):
    """Do something once while a reader waits; the list of what is to be done then."""
    waiting, sleep = [], time.sleep

    def slept(seconds):
        sleep(seconds)
        if waiting:
            waiting.pop()()

    monkeypatch.setattr(time, "sleep", slept)
    return waiting


def test_a_run_is_waited_for_between_two_renames(tmp_path, while_waiting):
    while_waiting.append(run_in_two_renames(tmp_path / "jax", OTHERS))
    assert (read_run(tmp_path / "jax").arrays[NAME].load() == OTHERS[NAME]).all()
    assert not while_waiting


def test_so_is_a_failed_one(tmp_path, while_waiting):
    make_run(tmp_path / "jax")
    failed = {"outcome": "failed", "reason": "because"}
    while_waiting.append(run_in_two_renames(tmp_path / "jax.failed", **failed))
    assert not last_run(tmp_path / "jax").facts.completed
    assert not while_waiting


def test_a_good_run_that_goes_back_where_it_was_is_read_too(tmp_path, while_waiting):
    run_in_two_renames(tmp_path / "jax", OTHERS)
    aside = Path(contract.aside(contract.staging_folder(str(tmp_path / "jax"))))
    while_waiting.append(lambda: aside.rename(tmp_path / "jax"))
    assert (last_run(tmp_path / "jax").arrays[NAME].load() == ARRAYS[NAME]).all()


@pytest.mark.parametrize("read", [read_baseline, read_facts])
def test_so_is_a_baseline(read, tmp_path, while_waiting):
    make_baseline(tmp_path / "jax", OTHERS)
    staging = tmp_path / ".jax.abc123.partial" / "jax"
    staging.mkdir(parents=True)
    place = tmp_path / "jax"
    place.rename(contract.aside(str(staging)))
    while_waiting.append(lambda: Path(contract.aside(str(staging))).rename(place))
    assert read(place)
    assert not while_waiting


@pytest.mark.parametrize("read", [read_run, last_run, read_baseline, read_facts])
def test_what_is_not_there_is_said_at_once(read, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits"))
    for parent in (tmp_path, tmp_path / "none"):
        with pytest.raises(MissingError):
            read(parent / "jax")


def test_what_a_killed_writer_left_aside_is_not_waited_for_long(tmp_path):
    run_in_two_renames(tmp_path / "jax")
    begun = time.monotonic()
    with pytest.raises(MissingError):
        read_run(tmp_path / "jax")
    assert PATIENCE <= time.monotonic() - begun < 10 * PATIENCE


def test_what_is_wrong_with_a_folder_that_stays_is_said_at_once(tmp_path):
    called = []

    def read():
        called.append(1)
        raise MissingError("no")

    with pytest.raises(MissingError):
        together(tmp_path, read, lambda: False)
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
        together(place, read, lambda: False)
    assert len(called) == ATTEMPTS
