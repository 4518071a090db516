"""Do what is ours so that an error of it ends no script."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator

from keras_repro.recorder.arrays import CannotWriteError


@contextlib.contextmanager
def attempted(failed: Callable[[Exception], None]) -> Iterator[None]:
    """End what is done within at an error, and call ``failed`` with that.

    Raises:
        CannotWriteError: the disk is full.
    """
    try:
        yield
    except CannotWriteError:
        raise
    except Exception as error:
        failed(error)


def attempt(failed: Callable[[Exception], None], function: Callable[..., Any], *args: Any) -> Any:
    """Return what ``function`` does; None after an error, with which ``failed`` is called.

    Raises:
        CannotWriteError: the disk is full.
    """
    with attempted(failed):
        return function(*args)
    return None
