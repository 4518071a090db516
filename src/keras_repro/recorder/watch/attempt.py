"""Call what is ours so that an error of it ends no script."""

from __future__ import annotations

from typing import Any, Callable

from keras_repro.recorder.arrays import CannotWriteError


def attempt(failed: Callable[[Exception], None], function: Callable[..., Any], *args: Any) -> Any:
    """Return what ``function`` does; None after an error, with which ``failed`` is called.

    Raises:
        CannotWriteError: the disk is full.
    """
    try:
        return function(*args)
    except CannotWriteError:
        raise
    except Exception as error:
        failed(error)
        return None
