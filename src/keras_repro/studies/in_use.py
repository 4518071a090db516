"""Keep environments and runs that are kept from being removed by whoever works with them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from keras_repro.runs.locks import locked

LOCK = ".lock"


@contextmanager
def in_use(on_wait: Callable[[], None]) -> Iterator[None]:
    """Keep what is kept from prune; ``on_wait`` is called before waiting for one that runs.

    Where no lock can be had, nothing can be kept or removed either.
    """
    with ExitStack() as held:
        held.callback(_tidy)
        with suppress(OSError):
            held.enter_context(locked(_path(), on_wait, shared=True))
        yield


@contextmanager
def unused(on_wait: Callable[[], None]) -> Iterator[None]:
    """Keep everybody from what is kept; ``on_wait`` is called before waiting for who works with it.

    Raises:
        OSError: it cannot be locked.
    """
    with locked(_path(), on_wait):
        yield


def _tidy() -> None:
    """Remove the folder where it is empty, as one that was killed has left it."""
    with suppress(OSError):
        _path().parent.rmdir()


def _path() -> Path:
    return user_cache_path("keras-repro") / LOCK
