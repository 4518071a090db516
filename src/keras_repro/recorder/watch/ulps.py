"""Move numbers by one unit in the last place (ulp) each, up or down: rounding itself, varied.

Initial weights, and the data that Keras trains with: a model of one weight has but two ways to be
moved, and a script that sets its weights none.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, Optional, Tuple

import numpy

MOST_BYTES = 256 << 20  # of training data that are copied to be moved


def moved(value: Any, number: int, which: int) -> Optional[numpy.ndarray[Any, Any]]:
    """Return a value with each element one ulp up or down; None where it has none to move.

    Which way is a function of ``number``, the condition's, and of ``which`` value it is. It comes
    from a hash, so that no generator of the script's is drawn from. Zeros stay, whose neighbours
    are denormal, and so does what is not finite, or would not be.
    """
    value = numpy.asarray(value)
    if not value.size or not is_real(value):
        return None
    key = b"%d of %d" % (which, number)
    digest = hashlib.shake_128(key).digest(-(-value.size // 8))
    bits = numpy.unpackbits(numpy.frombuffer(digest, numpy.uint8))[: value.size]
    upwards = bits.reshape(value.shape).astype(bool)
    limit = numpy.asarray(numpy.inf, value.dtype)
    with numpy.errstate(all="ignore"):
        found = numpy.nextafter(value, numpy.where(upwards, limit, -limit))
        stays = (value == 0) | ~numpy.isfinite(value) | ~numpy.isfinite(found)
    result: numpy.ndarray[Any, Any] = numpy.where(stays, value, found)
    return result


def moved_data(
    args: Tuple[Any, ...], kwargs: Dict[str, Any], number: int, floats: str
) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
    """Return the arguments to train with: the first, ``x``, moved, each time in the same way.

    By an ulp of the dtype that Keras computes in, ``floats``, where the data's own is finer. Whole
    numbers stay: they are counts, or places in a vocabulary, and were never rounded.
    """
    if args:
        return (_moved_parts(args[0], number, floats), *args[1:]), kwargs
    if "x" in kwargs:
        return args, dict(kwargs, x=_moved_parts(kwargs["x"], number, floats))
    return args, kwargs


def _moved_parts(given: Any, number: int, floats: str, which: int = -1) -> Any:
    """Return the arrays in what was given, moved. They count down from -1; weights count up."""
    if type(given) in (list, tuple):
        parts = enumerate(given)
        return type(given)(_moved_parts(part, number, floats, which - at) for at, part in parts)
    if type(given) is dict:
        order = {name: which - at for at, name in enumerate(sorted(given, key=str))}
        return {
            name: _moved_parts(part, number, floats, order[name]) for name, part in given.items()
        }
    if type(given) is not numpy.ndarray or given.nbytes > MOST_BYTES or not is_real(given):
        return given
    is_finer = given.itemsize > numpy.dtype(floats).itemsize
    found = moved(given.astype(floats) if is_finer else given, number, which)
    if found is None:
        return given
    with numpy.errstate(invalid="ignore"):
        return numpy.where(given == numpy.rint(given), given, found.astype(given.dtype))


def is_real(value: numpy.ndarray[Any, Any]) -> bool:
    """Whether it holds real numbers that are rounded: bfloat16 is no kind of NumPy's own."""
    return bool(value.dtype.kind == "f") or value.dtype.name == "bfloat16"
