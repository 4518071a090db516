"""Faults."""

import errno
import hashlib
import os

import pytest


@pytest.fixture
def broken_disk(monkeypatch):
    """Have a file that is hashed not be read to its end."""

    def broken(file, digest):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(hashlib, "file_digest", broken)
