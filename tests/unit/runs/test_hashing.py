"""No file, and a file that cannot be read, are not the same."""

import errno
import hashlib
import os

import pytest

from keras_repro.errors import UnreadableError
from keras_repro.runs.hashing import file_sha256


@pytest.mark.parametrize("name", ["not-there", "file/below", "x" * 300, "a\0b", "folder", "pipe"])
def test_what_is_no_file_has_no_hash(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert file_sha256(tmp_path / name) is None
    assert file_sha256(tmp_path / "file") == hashlib.sha256().hexdigest()


def test_a_file_that_cannot_be_read_is_an_error(tmp_path, broken_disk):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnreadableError, match=r"cannot read .*file: Input/output error"):
        file_sha256(tmp_path / "file")


def test_one_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    def denied(path, flags):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(UnreadableError, match="Permission denied"):
        file_sha256(tmp_path / "file")
