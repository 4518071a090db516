"""Compute on JAX compiled as a whole; one operation after another where that cannot be."""

from __future__ import annotations

import random
import re
from typing import Any, Dict, Iterator, List, Tuple

import numpy

# Of ``jax.errors``: what is raised where a number is asked for and only its shape is known.
# UnexpectedTracerError is none of them: what a layer kept of a computation that has ended is of no
# use to the next one either, compiled or not.
LOOKS_AT_NUMBERS = (
    "ConcretizationTypeError",  # TracerBoolConversionError is one
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerIntegerConversionError",
)
# JAX has no types for shapes and slices that are computed, nor Keras for what draws without a seed.
SAYS_SO = re.compile(r"JitTracer|Traced<|using `jit`|When tracing a JAX function")


def compiled(function: Any, layer: Any, *arguments: Any) -> Tuple[Any, bool]:
    """Return what a function of arrays that calls ``layer`` returns, and whether it was compiled.

    Compiled it takes a part of the time. Where the layer looks at the numbers, which are not known
    then, what the attempt changed is put back and the function is called as it is. What it raises
    otherwise is raised.
    """
    import jax  # noqa: PLC0415

    kept = _state(layer)
    try:
        return jax.jit(function)(*arguments), True
    except Exception as error:
        if not _cannot_be_compiled(error, jax.errors):
            raise
    _put_back(*kept)
    return function(*arguments), False


def _cannot_be_compiled(error: BaseException, errors: Any) -> bool:
    types = tuple(getattr(errors, name) for name in LOOKS_AT_NUMBERS if hasattr(errors, name))
    return any(isinstance(each, types) or SAYS_SO.search(str(each)) for each in _behind(error))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it: Keras makes an AttributeError of most of JAX's."""
    seen: List[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if not any(each is other for other in seen):
            seen.append(each)
            yield each
            waiting += [behind for behind in (each.__cause__, each.__context__) if behind]


def _state(layer: Any) -> Tuple[List[Tuple[Any, Dict[str, Any]]], Any, Any]:
    """Return the attributes of a layer and those in it, and the state of the global generators.

    Variables, the seeds of Keras' generators too, are no part of it: the caller gives them values
    in a scope, in which nothing is assigned for good.
    """
    attributes = [(part, dict(vars(part))) for part in layer._flatten_layers()]
    return attributes, random.getstate(), numpy.random.get_state()


def _put_back(attributes: List[Tuple[Any, Dict[str, Any]]], drawn: Any, numpys: Any) -> None:
    for part, values in attributes:
        vars(part).clear()
        vars(part).update(values)
    random.setstate(drawn)
    numpy.random.set_state(numpys)
