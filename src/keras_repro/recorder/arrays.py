"""Write arrays into an uncompressed npz as they come, so that none waits in memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import zipfile
from typing import Any, Dict, Iterable, Iterator, List, Tuple

import numpy


class CannotWriteError(OSError):
    """The file system refused an array: no fault of the script's."""


class _Zip(zipfile.ZipFile):
    """A zip that stays unfinished where nobody finishes it: its disk may be full."""

    def __del__(self) -> None:
        try:
            if self.fp is not None:
                self.fp.close()
        except OSError:  # the disk is full
            pass


class ArrayWriter:
    """An npz being written. The same arrays in the same order give the same bytes.

    ``index`` tells for each array its dtype's name and its shape. The name matters where the
    file cannot say it: ``bfloat16`` is no NumPy dtype and is kept as two bytes a value.

    A process that the script forks shares the file and its position, so it writes nothing.
    """

    def __init__(self, path: str) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()  # a zip has room for one writer at a time
        self.index: Dict[str, Dict[str, Any]] = {}
        self._zip = _Zip(path, "w", zipfile.ZIP_STORED, allowZip64=True)

    def write(self, key: str, value: Any) -> None:
        """Append one array under ``key``.

        Raises:
            ValueError: the key stands already, or the array holds Python objects, which only
                a pickle could keep.
            CannotWriteError: the file cannot be written.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            # In C order, in which the harness reads an array piece by piece.
            self._write(key, numpy.asarray(value, order="C"))

    def write_together(self, key: str, count: int, parts: Iterable[Any]) -> None:
        """Append ``count`` arrays of one shape and dtype as one, with a first axis.

        Of ``parts`` no more than one is held at a time. Raises as ``write`` does.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            rest = iter(parts)
            first = numpy.asarray(next(rest), order="C")
            with self._member(key, first.dtype, (count,) + first.shape) as member:
                shown = numpy.lib.format.header_data_from_array_1_0(first)
                shown.update(shape=(count,) + first.shape, fortran_order=False)
                numpy.lib.format.write_array_header_1_0(member, shown)
                for part in itertools.chain([first], rest):
                    member.write(numpy.asarray(part, order="C").tobytes())

    def _write(self, key: str, array: Any) -> None:
        with self._member(key, array.dtype, array.shape) as member:
            numpy.lib.format.write_array(member, array, allow_pickle=False)

    @contextlib.contextmanager
    def _member(self, key: str, dtype: Any, shape: Tuple[int, ...]) -> Iterator[Any]:
        """Open a new array of the file, to be written now."""
        if dtype.hasobject:
            raise ValueError("%s holds Python objects, not numbers" % key)
        if key in self.index:
            raise ValueError("%s was written already" % key)
        # A ZipInfo of its own has a fixed date (1980), so no clock enters the file.
        try:
            with self._zip.open(zipfile.ZipInfo(key + ".npy"), "w", force_zip64=True) as member:
                yield member
        except OSError as error:
            raise CannotWriteError(error.errno, error.strerror) from None
        self.index[key] = {"dtype": dtype.name, "shape": list(shape)}

    def close(self) -> None:
        """Finish the file. Raises CannotWriteError."""
        try:
            self._zip.close()
        except OSError as error:
            raise CannotWriteError(error.errno, error.strerror) from None


def as_series(values: List[Any]) -> numpy.ndarray[Any, Any]:
    """Return values as one array, shape (len(values), ...), in the dtype they came in.

    Keras 3 hands callbacks Python floats made from float32 tensors. Where every value survives
    the way back, float32 is what was computed, and a distance in ulps means something.
    """
    series = numpy.array([numpy.asarray(value) for value in values])
    if series.dtype == numpy.float64 and all(type(value) is float for value in values):
        with numpy.errstate(over="ignore"):
            narrow = series.astype(numpy.float32)
        if bool(numpy.all((narrow == series) | numpy.isnan(series))):
            return narrow
    return series
