"""An npz is published only where it is what was said of it."""

import contextlib
import errno
import json
import os
import zipfile

import numpy as np
import pytest

from keras_repro.recorder import verify
from keras_repro.recorder.arrays import ArrayWriter


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "arrays.npz"
    writer = ArrayWriter(str(path))
    writer.write("costs/train", np.arange(3, dtype="float32"))
    writer.write("weights/0", np.eye(4))
    writer.write("scalar", np.float64(1))
    writer.close()
    return path, writer.index


def test_what_was_written_is_sound(written):
    path, index = written
    assert verify.problem(str(path), json.loads(json.dumps(index))) is None
    assert verify.problem(str(path.with_name("none")), index) == "its arrays are missing"


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_changed_byte_is_found(written, place):
    path, index = written
    content = bytearray(path.read_bytes())
    eye = content.index(np.eye(4).tobytes())
    content[{"start": 0, "middle": eye + 8, "end": len(content) - 30}[place]] ^= 0xFF
    path.write_bytes(content)
    assert verify.problem(str(path), index) is not None


def test_other_arrays_than_were_said_are_found(written):
    path, index = written
    less = {name: entry for name, entry in index.items() if name != "scalar"}
    assert "not those" in verify.problem(str(path), less)
    index["weights/0"] = {"dtype": "float64", "shape": [16]}
    assert "another shape" in verify.problem(str(path), index)


def test_what_is_no_npz(tmp_path, written):
    path, index = written
    np.savez_compressed(tmp_path / "small.npz", **{name: np.zeros(3) for name in index})
    assert "compressed" in verify.problem(str(tmp_path / "small.npz"), index)
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    objects = {"a": {"dtype": "object", "shape": [1]}}
    assert verify.problem(str(tmp_path / "objects.npz"), objects) is not None
    (tmp_path / "text.npz").write_text("text")
    assert "cannot be read" in verify.problem(str(tmp_path / "text.npz"), index)
    os.mkfifo(tmp_path / "pipe.npz")
    assert "no file" in verify.problem(str(tmp_path / "pipe.npz"), index)
    (tmp_path / "link.npz").symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        verify.problem(str(tmp_path / "link.npz"), index)


def test_a_broken_disk_is_no_broken_archive(written, monkeypatch):
    """zipfile takes it for the other: it passes over the error."""
    path, index = written

    class Broken(zipfile.ZipFile):
        def __init__(self, file):
            with contextlib.suppress(OSError):
                file.raw.readinto(None)
            raise zipfile.BadZipFile

    class Disk(verify._Disk):
        def readinto(self, buffer):
            self.error = OSError(errno.EIO, os.strerror(errno.EIO))
            raise self.error

    monkeypatch.setattr(verify, "_Disk", Disk)
    monkeypatch.setattr(verify.zipfile, "ZipFile", Broken)
    with pytest.raises(OSError, match="Input/output"):
        verify.problem(str(path), index)
