"""Write arrays into an uncompressed npz as they come, so that none waits in memory."""

from __future__ import annotations

import os
import threading
import zipfile
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy

from keras_repro.recorder.blocks import as_bytes, blocks
from keras_repro.recorder.contract import SAMPLE, count_of
from keras_repro.recorder.summaries import summary_of


class CannotWriteError(OSError):
    """The file system refused an array: no fault of the script's."""


class Limits(NamedTuple):
    """How many bytes of one array are kept whole, and how many of all together."""

    one: int
    all: int


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

    An array that is over one of ``limits`` goes into ``summaries`` instead, and its sample into
    the npz at ``samples``, which is there where there are any.

    A process that the script forks shares the file and its position, so it writes nothing.
    """

    def __init__(self, path: str, limits: Optional[Limits] = None, samples: str = "") -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()  # a zip has room for one writer at a time
        self.index: Dict[str, Dict[str, Any]] = {}
        self.summaries: Dict[str, Dict[str, Any]] = {}
        self._zip = _Zip(path, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._limits = limits
        self._written = 0  # bytes of arrays
        self._place_of_samples = samples
        self._samples: Optional[ArrayWriter] = None

    def write(self, key: str, value: Any, whole: bool = False) -> None:
        """Append one array under ``key``; ``whole`` keeps it so, however large.

        Raises:
            ValueError: the key stands already, or the array holds Python objects, which only
                a pickle could keep.
            CannotWriteError: the file cannot be written.
        """
        array = numpy.asarray(value)
        self.write_blocks(key, array.dtype, array.shape, blocks(array), whole)

    def write_blocks(
        self,
        key: str,
        dtype: Any,
        shape: Tuple[int, ...],
        parts: Iterable[Any],
        whole: bool = False,
    ) -> None:
        """Append one array whose elements come in C order, in contiguous parts of its dtype.

        Of ``parts`` no more than one is held at a time. Raises as ``write`` does.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            if dtype.hasobject:
                raise ValueError("%s holds Python objects, not numbers" % key)
            if key in self.index or key in self.summaries:
                raise ValueError("%s was written already" % key)
            count = count_of(shape)
            size, small = count * dtype.itemsize, count <= SAMPLE  # it would be its own sample
            if whole or small or self._limits is None or self._has_room(size, self._limits):
                self._write(key, dtype, shape, parts)
                self._written += size
            else:
                self._sum_up(key, dtype, shape, parts)

    def _has_room(self, size: int, limits: Limits) -> bool:
        return size <= limits.one and self._written + size <= limits.all

    def _write(self, key: str, dtype: Any, shape: Tuple[int, ...], parts: Iterable[Any]) -> None:
        # In C order, in which the harness reads an array piece by piece.
        header = {"descr": numpy.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        # A ZipInfo of its own has a fixed date (1980), so no clock enters the file.
        try:
            with self._zip.open(zipfile.ZipInfo(key + ".npy"), "w", force_zip64=True) as member:
                numpy.lib.format.write_array_header_1_0(member, dict(header, shape=shape))
                for part in parts:
                    member.write(as_bytes(part))
        except OSError as error:
            raise CannotWriteError(error.errno, error.strerror) from None
        self.index[key] = {"dtype": dtype.name, "shape": list(shape)}

    def _sum_up(self, key: str, dtype: Any, shape: Tuple[int, ...], parts: Iterable[Any]) -> None:
        facts, sample = summary_of(dtype, shape, parts)
        if self._samples is None:
            try:
                self._samples = ArrayWriter(self._place_of_samples)
            except OSError as error:
                raise CannotWriteError(error.errno, error.strerror) from None
        self._samples.write(key, sample)
        self.summaries[key] = facts

    def close(self) -> None:
        """Finish the file. Raises CannotWriteError."""
        try:
            self._zip.close()
        except OSError as error:
            raise CannotWriteError(error.errno, error.strerror) from None
        if self._samples is not None:
            self._samples.close()


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
