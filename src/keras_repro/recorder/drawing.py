"""What an import draws from Python's generator and NumPy's global one, to be drawn again.

How many words a function draws may depend on what it draws, so the calls are kept and not a count.
"""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import numpy

from keras_repro.recorder.trail.generators import State, now

STATES = ("getstate", "setstate", "get_state", "set_state")  # of whole generators: never drawn


class Drawn(NamedTuple):
    """A call of a function of a generator."""

    function: Callable[..., Any]
    args: Tuple[Any, ...]
    kwargs: Dict[str, Any]


class Drawing:
    """Takes note of the calls of the functions of both modules, for a time."""

    def __init__(self) -> None:
        self._calls: List[Drawn] = []

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Take note meanwhile. Who took a function from the module keeps one that does the same."""
        real = [
            (module, name, value)
            for module in (random, numpy.random)
            for name, value in list(vars(module).items())
            if callable(value) and hasattr(value, "__self__") and name not in STATES
        ]
        for module, name, value in real:
            setattr(module, name, self._noted(value))
        try:
            yield
        finally:
            for module, name, value in real:
                setattr(module, name, value)

    def since(self, before: State) -> Tuple[List[Drawn], bool]:
        """Return the calls since the last time, and whether they lead from a state to the present.

        They do not where something else was drawn, or where a seed came from the system.
        """
        calls, self._calls = self._calls, []
        after = now()
        random.setstate(before.python)
        numpy.random.set_state(before.numpy)
        try:
            draw(calls)
            leads = _same(now(), after)
        except Exception:  # of arguments that were changed, say
            leads = False
        random.setstate(after.python)
        numpy.random.set_state(after.numpy)
        return calls, leads

    def _noted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with contextlib.suppress(Exception):  # then the calls lead elsewhere
                self._calls.append(Drawn(function, *copy.deepcopy((args, kwargs))))
            return function(*args, **kwargs)

        return call


def draw(calls: List[Drawn]) -> None:
    """Make the calls again."""
    for call in calls:
        call.function(*copy.deepcopy(call.args), **copy.deepcopy(call.kwargs))


def _same(one: State, other: State) -> bool:
    """Return whether both generators stand where they stood."""
    keys = zip(one.numpy, other.numpy)
    return bool(one.python == other.python and all(numpy.array_equal(a, b) for a, b in keys))
