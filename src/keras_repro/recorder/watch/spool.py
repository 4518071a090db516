"""Arrays that wait for their names, in a file that nobody else sees: none waits in memory."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import Any, Iterator, NamedTuple, Tuple

import numpy

from keras_repro.recorder.arrays import CannotWriteError
from keras_repro.recorder.blocks import BLOCK, as_bytes, blocks
from keras_repro.recorder.contract import count_of


class Slot(NamedTuple):
    """Where an array waits."""

    place: int
    dtype: Any
    shape: Tuple[int, ...]


class Spool:
    """A file without a name in ``folder``, which the system removes with the process.

    A process that the script forks shares the file and its position, so it writes nothing.
    """

    def __init__(self, folder: str) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - for all of it

    def put(self, value: Any) -> Slot:
        """Keep a copy of an array of numbers; return where.

        Raises:
            ValueError: it holds Python objects.
            CannotWriteError: the disk is full.
        """
        array = numpy.asarray(value)
        if array.dtype.hasobject:
            raise ValueError("it holds Python objects, not numbers")
        if os.getpid() != self._process:
            return Slot(0, array.dtype, array.shape)
        with self._lock:
            try:
                place = self._file.seek(0, 2)
                for block in blocks(array):
                    self._file.write(as_bytes(block))
            except OSError as error:
                raise CannotWriteError(error.errno, error.strerror) from None
        return Slot(place, array.dtype, array.shape)

    def get(self, slot: Slot) -> Any:
        """Return the array that was put there. Raises CannotWriteError where it cannot be read."""
        array = numpy.empty(slot.shape, slot.dtype)
        self._read(slot.place, array.reshape(-1))
        return array

    def blocks(self, slot: Slot) -> Iterator[Any]:
        """Yield the array that was put there in C order, one-dimensional, some elements at a time.

        Each is gone with the next. Raises CannotWriteError where it cannot be read.
        """
        size = count_of(slot.shape)
        room = numpy.empty(min(size, BLOCK), slot.dtype)
        for start in range(0, size, BLOCK):
            block = room[: min(BLOCK, size - start)]
            self._read(slot.place + start * slot.dtype.itemsize, block)
            yield block

    def _read(self, place: int, block: Any) -> None:
        with self._lock:
            try:
                self._file.seek(place)
                self._file.readinto(as_bytes(block))
            except OSError as error:
                raise CannotWriteError(error.errno, error.strerror) from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
