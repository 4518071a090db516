"""Open the arrays of an npz without reading them: they are read in blocks.

An npz is a zip of ``.npy`` files (https://numpy.org/doc/stable/reference/generated/
numpy.lib.format.html). Stored without compression, as every run is, an array lies in one piece in
the file, so that any part of it can be read by itself. Nothing is unpickled.
"""

import functools
import io
import math
import os
import shutil
import tempfile
import warnings
import weakref
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_repro.atomic import temporary
from keras_repro.errors import CannotWriteError, UnreadableError
from keras_repro.numbers.differences import BFLOAT16, Array, widened
from keras_repro.runs.regular_file import Held, NotRegularError

SUFFIX = ".npy"
LOCAL_HEADER = 30  # bytes; APPNOTE.TXT 4.3.7, https://pkware.cachefly.net/webdocs/casestudies
MAX_DIMENSIONS = 64  # NumPy's
BLOCK_BYTES = 1 << 20
LENGTH_BYTES = {(1, 0): 2, (2, 0): 4}  # by the version of an npy: how its header begins
MOST_HEADER_BYTES = 1 << 16
MOST_ITEM_BYTES = 1 << 20  # of one element: a string, say
MOST_UNPACKED_BYTES = 1 << 30  # of a compressed file; a run is never compressed
# Python unpacks a block at a time of these alone; of others a kilobyte may become a gigabyte of it.
UNPACKED_IN_BLOCKS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
KINDS = "biufcSUVmM"  # all that hold no Python objects


class Piece(NamedTuple):
    """Where an array's ``.npy`` file begins and its elements do, and the checksum of it all."""

    start: int
    elements: int
    stop: int
    crc32: int


class Stored:
    """An array in a file. ``name`` is its dtype's; NumPy cannot tell a ``bfloat16``."""

    def __init__(
        self,
        file: "Npz",
        key: str,
        piece: Piece,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        in_fortran_order: bool,
    ) -> None:
        self._file = file
        self._key = key
        self._piece = piece
        self._stored = dtype
        self._in_fortran_order = in_fortran_order and len(shape) > 1 and 0 not in shape
        self.dtype = dtype.newbyteorder("=")
        self.name = dtype.name if dtype.isnative else dtype.str
        self.shape = shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes."""
        return self.size * self.dtype.itemsize

    def read(self, start: int, stop: int) -> Array:
        """Return the elements from ``start`` to ``stop`` in C order, 1-D, native byte order.

        Raises:
            UnreadableError: they cannot be read.
        """
        if self._in_fortran_order:
            block = self._map.flat[start:stop]
        else:
            block = np.empty(max(stop - start, 0), self._stored)
            place = self._piece.elements + start * self._stored.itemsize
            self._file.read_into(block, place, self._key)
        return np.asarray(block.astype(self.dtype, copy=False))

    def load(self) -> Array:
        """Return the whole array; bfloat16, which NumPy does not know, as float32.

        Raises:
            UnreadableError: it cannot be read, or is damaged.
        """
        self.verify()
        array = self.read(0, self.size).reshape(self.shape)
        return widened(array) if self.name == BFLOAT16 else array

    def verify(self) -> None:
        """Raise UnreadableError where the bytes are not those that were written."""
        crc32, place = 0, self._piece.start
        while place < self._piece.stop:
            block = np.empty(min(BLOCK_BYTES, self._piece.stop - place), np.uint8)
            self._file.read_into(block, place, self._key)
            crc32, place = zlib.crc32(block.data, crc32), place + block.size
        if crc32 != self._piece.crc32:
            raise self._file.damaged(f"{self._key} is not what was written (its checksum differs)")

    @functools.cached_property
    def _map(self) -> Array:
        """The array as NumPy maps it: its C order is strewn over the file."""
        try:
            with self._file.opened() as file:  # the map stays when it is closed
                return np.memmap(file, self._stored, "r", self._piece.elements, self.shape, "F")
        except (OSError, ValueError) as error:
            raise self._file.damaged(f"{self._key}: {_brief(error)}") from None


class Npz(Mapping[str, Stored]):
    """The arrays of an npz by name, in the order in which they lie in it.

    The file stays open while this object or one of its arrays lives, so that they can be read
    also when another run has taken its place.
    """

    def __init__(
        self,
        source: Path | Held,
        names: Mapping[str, str] | None = None,
        remedy: str = "make the run again",
    ) -> None:
        """Read the names, dtypes and shapes; ``names`` tells the dtypes that NumPy cannot.

        ``remedy`` is what to do where the file is damaged. A compressed one is unpacked into a
        temporary file first.

        Raises:
            UnreadableError: the file is missing, truncated, no npz, compressed and large, or
                holds Python objects.
            CannotWriteError: there is no room to unpack it.
        """
        held = source if isinstance(source, Held) else Held(source)
        self.path = held.path
        self._names = names or {}
        self._remedy = remedy
        self._use(_opened(held))
        try:
            with self.opened() as file, zipfile.ZipFile(file) as archive:
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    self._use(self._unpacked(archive))
            with self.opened() as file:
                self._arrays = dict(self._entries(file))
        except (CannotWriteError, UnreadableError):
            raise
        # A hostile file can make the zip and header parsers raise nearly anything.
        except Exception as error:
            raise self.damaged(_brief(error)) from None

    def __getitem__(self, key: str) -> Stored:
        return self._arrays[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def read_into(self, block: Array, offset: int, key: str) -> None:
        """Fill ``block`` with the bytes from ``offset`` on. Raises UnreadableError."""
        view = block.view(np.uint8).data
        while view:
            try:
                count = os.preadv(self.descriptor, [view], offset)
            except OSError as error:
                raise self.damaged(f"{key}: {error.strerror}") from None
            if count == 0:
                raise self.damaged(f"{key} ends too early")
            view, offset = view[count:], offset + count

    def damaged(self, why: str) -> UnreadableError:
        """Return the error that says what is wrong with this file."""
        return UnreadableError(f"{self.path} is damaged: {why}; {self._remedy}")

    def _use(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._bytes = os.fstat(descriptor).st_size
        weakref.finalize(self, os.close, descriptor)

    def opened(self) -> BinaryIO:
        """Return the open file as Python's own, which does not close it."""
        return open(self.descriptor, "rb", closefd=False)

    def _unpacked(self, archive: zipfile.ZipFile) -> int:
        """Return a descriptor of a file that has no name, with the same arrays uncompressed."""
        entries = archive.infolist()
        if any(entry.compress_type not in UNPACKED_IN_BLOCKS for entry in entries):
            raise UnreadableError(
                f"{self.path} is compressed in a way that is not read; write it anew with "
                "numpy.savez"
            )
        size = sum(entry.file_size for entry in entries)
        if size > MOST_UNPACKED_BYTES:
            raise UnreadableError(
                f"{self.path} is compressed, and unpacked it has {size / 1e9:,.1f} GB, beyond the "
                f"{MOST_UNPACKED_BYTES / 1e9:,.1f} GB that are unpacked; write it anew with "
                "numpy.savez"
            )
        with temporary(f"unpack {self.path}"), tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
                for name in dict.fromkeys(archive.namelist()):
                    _copy(archive, target, name)
            return os.dup(file.fileno())

    def _entries(self, file: BinaryIO) -> Iterator[tuple[str, Stored]]:
        seen: set[str] = set()
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                key = entry.filename.removesuffix(SUFFIX)
                if entry.filename == key or key in seen or not key.isprintable():
                    raise self.damaged(f"{entry.filename[:80]!r} is no array, or is there twice")
                seen.add(key)
                yield key, self._entry(file, entry, key)

    def _entry(self, file: BinaryIO, entry: zipfile.ZipInfo, key: str) -> Stored:
        if entry.flag_bits & 1:
            raise self.damaged(f"{key} is encrypted, which no run is")
        start = entry.header_offset
        file.seek(start)
        header = file.read(LOCAL_HEADER)
        if len(header) < LOCAL_HEADER or header[:4] != b"PK\x03\x04":
            raise self.damaged(f"{key} has no header")
        start += LOCAL_HEADER + int.from_bytes(header[26:28], "little")
        start += int.from_bytes(header[28:30], "little")
        file.seek(start)
        shape, in_fortran_order, dtype = _read_npy_header(file)
        offset = file.tell()
        problem = problem_of(dtype, shape)
        if problem:
            raise UnreadableError(f"{self.path}: {key} {problem}; {self._remedy}")
        stop = offset + math.prod(shape) * dtype.itemsize
        if start + entry.file_size != stop or stop > self._bytes:
            raise self.damaged(f"{key} has not the bytes that its shape asks for")
        piece = Piece(start, offset, stop, entry.CRC)
        stored = Stored(self, key, piece, dtype, shape, in_fortran_order)
        said = self._names.get(key, stored.name)
        if dtype.kind == "V" and said.isprintable() and (said != BFLOAT16 or dtype.itemsize == 2):
            stored.name = said
        return stored


def join(path: Path, parts: Sequence[tuple[Path, Collection[str]]]) -> None:
    """Write an npz of the named arrays of others, copied piece by piece, sorted by name.

    Raises:
        OSError: it cannot be written.
    """
    with ExitStack() as files, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        opened = [(files.enter_context(zipfile.ZipFile(part)), keys) for part, keys in parts]
        sources = {key: archive for archive, keys in opened for key in keys}
        for key in sorted(sources):
            _copy(sources[key], target, key + SUFFIX)


def _copy(source: zipfile.ZipFile, target: zipfile.ZipFile, name: str) -> None:
    entry = zipfile.ZipInfo(name)  # with a fixed date: the same bytes again
    with source.open(name) as original, target.open(entry, "w", force_zip64=True) as copy:
        shutil.copyfileobj(original, copy, BLOCK_BYTES)


def _opened(held: Held) -> int:
    path = held.path
    try:
        return held.descriptor()
    except NotRegularError as error:
        raise UnreadableError(f"{error}; make the run again") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableError(f"{path} is missing; make the run again") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot read {path}: {_brief(error)}") from None


def _read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version not in LENGTH_BYTES:
        raise ValueError(f"npy version {version[0]}.{version[1]}")
    length = file.read(LENGTH_BYTES[version])
    # NumPy reads a header whole before it says that it is too long.
    size = int.from_bytes(length, "little")
    if size > MOST_HEADER_BYTES:
        raise ValueError("the header of an array is too long")
    return _parsed(version, length + file.read(size))


@functools.lru_cache(256)  # thousands of arrays are of a few shapes
def _parsed(version: tuple[int, int], header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a file that Python 2 wrote
        return read(io.BytesIO(header))


def problem_of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """Return what stands against reading such an array, or nothing."""
    if dtype.hasobject:
        return "holds Python objects, which are not read"
    odd = dtype.subdtype or dtype.names or not 0 < dtype.itemsize <= MOST_ITEM_BYTES
    if dtype.kind not in KINDS or odd:
        return f"has a dtype that is not read ({str(dtype)[:40]})"
    sides = [side for side in shape if side]
    if any(type(side) is not int or side < 0 for side in sides):
        return "has a shape that no array has"
    if len(shape) > MAX_DIMENSIONS or math.prod(sides) * dtype.itemsize >= 2**63:
        return "has a shape that no array has"
    return ""


def _brief(error: Exception) -> str:
    lines = (getattr(error, "strerror", None) or str(error)).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120]
