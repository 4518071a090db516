"""Look at the first batch that a call of a model's method will use, without using it up."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Optional, Tuple

import numpy


def first_batch(
    method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]
) -> Tuple[Any, Any, Tuple[Any, ...], Dict[str, Any]]:
    """Return (x, y) of the first batch that a call of a model's method uses, and its arguments.

    A generator is asked for its first batch, which is put back. ``x`` is None where nothing can
    be looked at without using it up.
    """
    name = "x" if args or "x" in kwargs else "generator"
    x: Any = args[0] if args else kwargs.get(name)
    predicts = method.startswith("predict")  # what follows is then the size of a batch
    y = None if predicts else args[1] if len(args) > 1 else kwargs.get("y")
    if hasattr(x, "__next__"):
        first = next(x)
        again = _put_back(first, x)
        if args:
            args = (again,) + args[1:]
        else:
            kwargs = dict(kwargs, **{name: again})
        x, y = _pair(first, method)
    elif hasattr(x, "__getitem__") and hasattr(x, "__len__") and not _is_arrays(x):
        x, y = _pair(x[0], method)  # a Sequence, a PyDataset
    elif not _is_arrays(x):
        try:
            x, y = _pair(next(iter(x)), method)  # tf.data, a DataLoader
        except TypeError:
            return None, None, args, kwargs
    elif method not in ("train_on_batch", "test_on_batch", "predict_on_batch"):
        size = kwargs.get("batch_size") or _positional_size(method, args) or 32
        x, y = _head(x, size), _head(y, size)
    return _arrays(x), _arrays(y), args, kwargs


def _put_back(first: Any, rest: Any) -> Iterator[Any]:
    """Yield what was taken, then the rest: Keras wants a generator, and no other iterator."""
    yield first
    for batch in rest:  # noqa: UP028 - Python 3.7 to 3.13 alike
        yield batch


def _positional_size(method: str, args: Tuple[Any, ...]) -> Optional[int]:
    place = 1 if method == "predict" else 2
    size = args[place] if len(args) > place else None
    return size if isinstance(size, int) else None


def _is_arrays(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_arrays(part) for part in value)
    if isinstance(value, dict):
        return all(_is_arrays(part) for part in value.values())
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _pair(batch: Any, method: str) -> Tuple[Any, Any]:
    if isinstance(batch, (tuple, list)) and len(batch) > 1 and not method.startswith("predict"):
        return batch[0], batch[1]
    return (batch[0] if isinstance(batch, tuple) else batch), None


def _head(value: Any, size: int) -> Any:
    if isinstance(value, (list, tuple)):
        return [_head(part, size) for part in value]
    if isinstance(value, dict):
        return {name: _head(part, size) for name, part in value.items()}
    return None if value is None else value[:size]


def _arrays(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_arrays(part) for part in value]
    if isinstance(value, dict):
        return {name: _arrays(part) for name, part in value.items()}
    if value is None:
        return None
    return numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
