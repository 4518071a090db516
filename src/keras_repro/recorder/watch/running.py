"""Which of the watched methods of Keras run now, one within the other; a list for each thread."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Iterator, List, NamedTuple


class Call(NamedTuple):
    """A method that runs: of which model, its name, and whether Keras defines it."""

    model: Any
    method: str
    of_keras: bool


class Running(threading.local):
    """The calls of this thread, the outermost first."""

    def __init__(self) -> None:
        self.calls: List[Call] = []

    @property
    def in_keras(self) -> bool:
        """Whether Keras itself trains, tests or predicts: what happens is part of that."""
        return any(call.of_keras for call in self.calls)

    def has(self, model: Any, method: str) -> bool:
        """Whether this method of this model runs already, and is watched as that.

        A script's own way to train is not: it is Keras' within that is.
        """
        return any(
            call.model is model
            and call.method == method
            and (call.of_keras or not method.startswith(("fit", "train")))
            for call in self.calls
        )

    @contextlib.contextmanager
    def within(self, call: Call) -> Iterator[None]:
        """Count a call as running meanwhile."""
        self.calls.append(call)
        try:
            yield
        finally:
            self.calls.pop()
