"""Numbers out of whatever a framework hands over: arrays, tensors, variables."""

from __future__ import annotations

from typing import Any

import numpy


def as_array(value: Any) -> numpy.ndarray[Any, Any]:
    """Return a value as a NumPy array of numbers.

    Raises:
        ValueError: it holds none: text, an object, or a tensor of a graph without a value.
    """
    if hasattr(value, "detach"):  # PyTorch: a tensor that is part of a graph of gradients
        value = value.detach().cpu()
    try:
        array = numpy.asarray(value)
    except Exception as error:
        raise ValueError(
            "%s holds no value that can be read here: %s" % (_kind(value), _first_line(error))
        ) from None
    if array.dtype.hasobject or array.dtype.kind in "USOMm":
        raise ValueError("%s holds no numbers" % _kind(value))
    return array


def one_number(value: Any) -> numpy.ndarray[Any, Any]:
    """Return a copy of one number, as an array of no dimensions.

    Raises:
        ValueError: it is none, or several.
    """
    number = as_array(value)
    if number.size != 1:
        raise ValueError("%s is not one number" % (number.shape,))
    return number.reshape(()).copy()


def _kind(value: Any) -> str:
    return "a value of type %s.%s" % (type(value).__module__, type(value).__name__)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
