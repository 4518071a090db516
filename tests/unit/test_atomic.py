"""A file is written whole or not at all, and what a killed writer left goes."""

import os
import subprocess
import sys

import pytest

from keras_repro import atomic
from keras_repro.atomic import write_whole
from keras_repro.errors import CannotWriteError


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_killed_writer_left_goes_and_a_living_ones_stays(tmp_path):
    dead = tmp_path / f".page.html.{ended_process()}-1.partial"
    living = tmp_path / f".page.html.{os.getppid()}-1.partial"
    others = tmp_path / f".page.html.old.{ended_process()}-1.partial"
    for path in (dead, living, others):
        path.write_text("half")
    write_whole(tmp_path / "page.html", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", living.name, others.name}


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_where_it_fails_the_old_stands_and_nothing_else(tmp_path, monkeypatch, name):
    path = tmp_path / "page.html"
    path.write_text("old")

    def fails(*arguments, **options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(atomic.os if name == "fsync" else atomic.Path, name, fails)
    with pytest.raises(CannotWriteError, match="Input/output error"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]
