"""Files that were there before the script and that it opened for reading."""

import builtins
import io
import os
import time

import pytest

from keras_repro.recorder.trail.files import Files
from keras_repro.recorder.trail.trail import Trail


@pytest.fixture
def opened(tmp_path, monkeypatch):
    folder, home = tmp_path / "work", tmp_path / "home"
    for place in (folder, home, tmp_path / "else"):
        place.mkdir()
        (place / "data.csv").write_text("1,2")
        os.utime(place / "data.csv", (0, 0))
    (folder / "code.py").write_text("")
    monkeypatch.setattr(builtins, "open", builtins.open)
    monkeypatch.setattr(io, "open", io.open)
    monkeypatch.chdir(folder)
    time.sleep(0.2)  # what was there is older, also by a file system's clock
    trail = Trail()
    Files(trail, str(folder), str(home)).watch()
    return trail.links


def test_each_is_told_once_by_a_path_of_its_folder(opened, tmp_path):
    for path in ("data.csv", "data.csv", tmp_path / "home" / "data.csv"):
        with open(path) as file:
            assert file.read() == "1,2"
    (tmp_path / "work" / "data.csv").read_text()
    assert [(link["path"], link["bytes"]) for link in opened] == [
        ("data.csv", 3),
        ("~/data.csv", 3),
    ]
    assert opened[0]["digest"] == opened[1]["digest"]


def test_what_the_script_wrote_is_none_nor_code_nor_what_lies_elsewhere(opened, tmp_path):
    for path, mode in (
        ("own.txt", "w"),
        ("own.txt", "r"),
        ("data.csv", "r+"),
        ("code.py", "r"),
        (tmp_path / "else" / "data.csv", "r"),
    ):
        with open(path, mode):
            pass
    with open(0, closefd=False):
        pass
    with pytest.raises(FileNotFoundError), open("missing"):
        pass
    assert opened == []
