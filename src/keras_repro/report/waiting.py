"""Say what a command waits for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

PATIENCE_SECONDS = 2.0


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on stderr what takes so long: at once on a terminal, elsewhere after two seconds."""
    console = Console(stderr=True, markup=False, highlight=False)
    if console.is_terminal:
        with console.status(what):
            yield
        return
    timer = threading.Timer(PATIENCE_SECONDS, lambda: console.print(what))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
