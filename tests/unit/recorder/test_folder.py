"""Run folders are written whole or not at all."""

import json
import os
import threading
from pathlib import Path

import pytest

from keras_repro.recorder import contract, folder


def publish(out: Path, outcome: str, text: str = "") -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(folder.prepare(str(out)))
    (staging / contract.ARRAYS).write_text(text)
    (staging / contract.LOG).write_text(text)
    place = folder.publish(str(staging), str(out), {"outcome": outcome})
    folder.tidy(str(out), place)
    return Path(place)


class KilledError(BaseException):
    """As if the process ended."""


def test_a_completed_run_replaces_a_completed_one(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "first")
    publish(out, "completed", "second")
    assert (out / contract.ARRAYS).read_text() == "second"
    assert os.listdir(out.parent) == ["b"]


def test_a_failed_run_stands_beside_a_completed_one_and_goes_with_the_next(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "good")
    place = publish(out, "failed", "bad")
    assert place == tmp_path / "w" / "b.failed"
    assert (out / contract.ARRAYS).read_text() == "good"
    assert not (place / contract.ARRAYS).exists()
    assert (place / contract.LOG).read_text() == "bad"
    publish(out, "completed", "better")
    assert not place.exists()


def test_a_failed_run_takes_the_place_where_none_is_good(tmp_path):
    out = tmp_path / "w" / "b"
    assert publish(out, "failed", "one") == out
    assert publish(out, "failed", "two") == out
    assert (out / contract.LOG).read_text() == "two"
    assert publish(out, "completed", "three") == out


def test_what_a_person_put_there_is_carried_over(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed")
    (out / "notes.md").write_text("mine")
    publish(out, "completed")
    assert (out / "notes.md").read_text() == "mine"


def test_what_a_person_put_there_survives_a_kill_before_it_is_carried_over(tmp_path, monkeypatch):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "old")
    (out / "notes.md").write_text("mine")

    def killed(*args):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(folder, "tidy", killed)  # the folders are exchanged, the notes are not
        with pytest.raises(KilledError):
            publish(out, "completed", "new")
    assert (out / contract.ARRAYS).read_text() == "new"
    assert not (out / "notes.md").exists()
    publish(out, "completed", "newer")
    assert (out / "notes.md").read_text() == "mine"
    assert os.listdir(out.parent) == ["b"]


def test_without_renameat2_a_kill_between_the_renames_loses_nothing(tmp_path, monkeypatch):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "old")
    (out / "notes.md").write_text("mine")
    staging = contract.staging_folder(str(out))
    out.rename(contract.aside(staging))
    folder.prepare(str(out))
    assert (out / contract.ARRAYS).read_text() == "old"
    out.rename(contract.aside(staging))
    publish(out, "completed", "new")
    assert (out / contract.ARRAYS).read_text() == "new"
    assert (out / "notes.md").read_text() == "mine"
    assert os.listdir(out.parent) == ["b"]


def test_a_failed_run_never_replaces_one_that_cannot_be_read(tmp_path, monkeypatch):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "good")

    def broken(*args, **kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(folder.json, "load", broken)
    with pytest.raises(OSError, match="Input/output"):
        publish(out, "failed", "bad")
    assert (out / contract.ARRAYS).read_text() == "good"


def test_without_renameat2_the_folders_change_places_too(tmp_path, monkeypatch):
    monkeypatch.setattr(contract.ctypes, "CDLL", lambda *args, **kwargs: object())
    out = tmp_path / "w" / "b"
    publish(out, "completed", "first")
    publish(out, "completed", "second")
    assert (out / contract.ARRAYS).read_text() == "second"
    assert os.listdir(out.parent) == ["b"]


@pytest.mark.parametrize("content", ["a file", "a folder of something else"])
def test_what_is_no_run_is_not_replaced(tmp_path, content):
    out = tmp_path / "b"
    if content == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.tex").write_text("mine")
    with pytest.raises(folder.NotARunFolderError):
        folder.prepare(str(out))


def test_a_damaged_run_can_be_made_again(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "first")
    (out / contract.FACTS).write_text("{")
    publish(out, "completed", "second")
    assert (out / contract.ARRAYS).read_text() == "second"


def test_links_that_a_script_leaves_lead_nowhere(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    out = tmp_path / "w" / "b"
    out.parent.mkdir()
    for name in (contract.FACTS, contract.ARRAYS, contract.LOG):
        staging = Path(folder.prepare(str(out)))
        (staging / contract.OUTPUT / name).symlink_to(victim)
        (staging / contract.OUTPUT / "folder").symlink_to(tmp_path)
        (staging / contract.OUTPUT / contract.FIGURES).symlink_to(tmp_path)
        folder.take_over(str(staging))
        place = Path(folder.publish(str(staging), str(out), {"outcome": "completed"}))
        assert victim.read_text() == "mine"
        assert [path.name for path in place.iterdir()] == [contract.FACTS]


@pytest.mark.parametrize("copying", [False, True])
def test_what_somebody_holds_open_is_not_what_is_published(tmp_path, copying):
    out = tmp_path / "w" / "b"
    out.parent.mkdir()
    staging = Path(folder.prepare(str(out)))
    written = staging / contract.OUTPUT / contract.ARRAYS
    with open(written, "w") as held:
        held.write("before")
        held.flush()
        folder.take_over(str(staging), copying)
        held.write(", and after")
    there = (staging / contract.ARRAYS).read_text()
    assert there == ("before" if copying else "before, and after")
    assert not (staging / contract.OUTPUT).exists()


def test_a_half_written_run_is_cleared_away(tmp_path):
    out = tmp_path / "b"
    staging = Path(folder.prepare(str(out)))
    (staging / "left").write_text("by a killed run")
    assert os.listdir(folder.prepare(str(out))) == [contract.OUTPUT]


def test_the_second_waits_for_the_first(tmp_path):
    out = str(tmp_path / "w" / "b")
    waited, entered = threading.Event(), threading.Event()

    def second():
        with folder.locked(out, waited.set):
            entered.set()

    with folder.locked(out, lambda: pytest.fail("nobody else holds it")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_a_run_whose_recorder_was_killed_becomes_a_failed_one(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "good")
    staging = Path(folder.prepare(str(out)))
    (staging / contract.LOG).write_text("step 1")
    (staging / contract.ARRAYS).write_text("half")
    place = Path(folder.abandon(str(out), {"reason": "killed"}))
    assert json.loads((place / contract.FACTS).read_text())["outcome"] == "failed"
    assert (place / contract.LOG).read_text() == "step 1"
    assert not (place / contract.ARRAYS).exists()
    assert (out / contract.ARRAYS).read_text() == "good"
    assert folder.abandon(str(out), {}) is None


def test_a_link_in_place_of_the_lock_leads_nowhere(tmp_path):
    (tmp_path / ".b.lock").symlink_to(tmp_path / "outside")
    with folder.locked(str(tmp_path / "b"), lambda: pytest.fail("nobody holds it")):
        assert not (tmp_path / "outside").exists()
        assert (tmp_path / ".b.lock").is_file()


def test_what_a_run_has_only_while_it_is_written_never_gets_into_the_good_one(tmp_path):
    out = tmp_path / "w" / "b"
    publish(out, "completed", "good")
    (out / contract.OUTPUT).rmdir()
    staging = Path(folder.prepare(str(out)))
    for name in (contract.FACTS, contract.PROGRESS):
        (staging / name).write_text("{}")
    folder.clear(str(staging), str(out))
    assert contract.OUTPUT not in os.listdir(out)
    assert contract.PROGRESS not in os.listdir(out)
    assert os.listdir(out.parent) == ["b"]
