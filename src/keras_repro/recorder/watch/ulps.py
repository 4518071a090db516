"""Move weights by one unit in the last place (ulp) each, up or down: rounding itself, varied."""

from __future__ import annotations

import hashlib
from typing import Any, Optional

import numpy


def moved(value: Any, number: int, weight: int) -> Optional[numpy.ndarray[Any, Any]]:
    """Return a value with each element one ulp up or down; None where it has none to move.

    Which way is a function of ``number``, the condition's, and of which ``weight`` it is. It comes
    from a hash, so that no generator of the script's is drawn from. Zeros stay, whose neighbours
    are denormal, and so does what is not finite, or would not be.
    """
    value = numpy.asarray(value)
    if not value.size or not is_real(value):
        return None
    key = b"%d of %d" % (weight, number)
    digest = hashlib.shake_128(key).digest(-(-value.size // 8))
    bits = numpy.unpackbits(numpy.frombuffer(digest, numpy.uint8))[: value.size]
    upwards = bits.reshape(value.shape).astype(bool)
    limit = numpy.asarray(numpy.inf, value.dtype)
    with numpy.errstate(all="ignore"):
        found = numpy.nextafter(value, numpy.where(upwards, limit, -limit))
        stays = (value == 0) | ~numpy.isfinite(value) | ~numpy.isfinite(found)
    result: numpy.ndarray[Any, Any] = numpy.where(stays, value, found)
    return result


def is_real(value: numpy.ndarray[Any, Any]) -> bool:
    """Whether it holds real numbers that are rounded: bfloat16 is no kind of NumPy's own."""
    return bool(value.dtype.kind == "f") or value.dtype.name == "bfloat16"
