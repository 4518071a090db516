"""Open what a script's process wrote before it is published.

A good run must never be replaced by one that cannot be read.
"""

from __future__ import annotations

import ast
import io
import os
import stat
import zipfile
from typing import Any, Dict, Optional

LONGEST_HEADER = 1 << 16


def problem(path: str, index: Dict[str, Dict[str, Any]]) -> Optional[str]:
    """Return in a few words why ``path`` is not the npz of just these arrays, or None.

    Names, shapes and checksums are compared with what the process said of them; nothing is
    unpickled. The format is that of
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return "its arrays are missing"
    disk = _Disk(descriptor)
    with io.BufferedReader(disk) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "its arrays are no file"
        try:
            with zipfile.ZipFile(file) as archive:
                return _of_archive(archive, index)
        except OSError:
            raise
        except Exception:
            if disk.error is not None:
                raise disk.error from None
            return "its arrays cannot be read"


class _Disk(io.FileIO):
    """A file that knows whether it was read: zipfile takes a broken disk for a broken archive."""

    error: Optional[OSError] = None

    def readinto(self, buffer: Any) -> Optional[int]:
        try:
            return super().readinto(buffer)
        except OSError as error:
            self.error = error
            raise

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            self.error = error
            raise


def _of_archive(archive: zipfile.ZipFile, index: Dict[str, Dict[str, Any]]) -> Optional[str]:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if sorted(names) != sorted(name + ".npy" for name in index):
        return "its arrays are not those that were recorded"
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED:
            return "its arrays are compressed"
        with archive.open(entry) as file:  # read to its end, its checksum is compared
            if _shape(file) != tuple(index[entry.filename[: -len(".npy")]]["shape"]):
                return "its array %s has another shape" % entry.filename[: -len(".npy")]
            while file.read(1 << 20):
                pass
    return None


def _shape(file: Any) -> Any:
    """Return the shape in the header of an npy file; None where it holds Python objects."""
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY":
        return None
    size = int.from_bytes(file.read(2 if magic[6] == 1 else 4), "little")
    if size > LONGEST_HEADER:
        return None
    header = ast.literal_eval(file.read(size).decode("latin-1").strip())
    return None if "O" in str(header["descr"]) else header["shape"]
