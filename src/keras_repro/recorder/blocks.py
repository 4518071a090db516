"""Go through an array in blocks: of a large one, no second copy is ever made."""

from __future__ import annotations

from typing import Any, Iterator

import numpy

BLOCK = 1 << 18  # elements looked at together


def blocks(array: Any) -> Iterator[Any]:
    """Yield the elements in C order, one-dimensional and contiguous, some at a time.

    They may be windows on the array: use each before the next.
    """
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        for start in range(0, flat.size, BLOCK):
            yield flat[start : start + BLOCK]
        return
    row = array[:1].size
    if row > BLOCK:
        for each in array:
            yield from blocks(each)
        return
    rows = max(1, BLOCK // max(1, row))
    for start in range(0, len(array), rows):
        yield numpy.ascontiguousarray(array[start : start + rows]).reshape(-1)


def is_number(dtype: Any) -> bool:
    """Return whether elements of a dtype are numbers, of which there are figures."""
    # ml_dtypes' are void to NumPy, and have no kind of their own.
    return dtype.kind in "biufc" or (dtype.kind == "V" and "float" in dtype.name)


def as_bytes(block: Any) -> Any:
    """Return a block as what a file and a digest take."""
    if block.dtype.itemsize == 0:  # texts that are all empty
        return b""
    # As bytes: of bfloat16, which is no NumPy dtype, there is no buffer.
    return block.view(numpy.uint8).data
