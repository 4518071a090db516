"""What variables were last, where a loop holds them outside of their model (JAX).

References alone are kept, to arrays that nothing changes; what was donated meanwhile is not known.
"""

from __future__ import annotations

import weakref
from typing import Any, Callable, Dict, Iterable, List

LOST: Any = object()  # held by a loop in a way that could not be followed


class Handed:
    """The last value that a loop of the script's own had of each variable that it trains."""

    def __init__(self) -> None:
        self._last: Dict[int, Any] = {}
        self._variables: Dict[int, Any] = {}

    def key(self, variable: Any) -> int:
        """Return by what ``keep`` knows a variable, for as long as it lives."""
        key = id(variable)
        known = self._variables.get(key)
        if known is None or known() is not variable:

            def forget(gone: Any) -> None:
                if self._variables.get(key) is gone:
                    self._variables.pop(key, None)
                    self._last.pop(key, None)

            self._last.pop(key, None)
            self._variables[key] = weakref.ref(variable, forget)
        return key

    def keep(self, keys: Iterable[int], values: List[Any]) -> None:
        """Take these values for the last ones."""
        self._last.update(zip(keys, values))

    def written(self, variable: Any) -> None:
        """Take note that the variable itself now holds what it is."""
        self._last.pop(id(variable), None)

    def value(self, variable: Any, read: Callable[[], Any]) -> Any:
        """Return what a variable was last; ``read`` reads the variable itself.

        None where it is not known.
        """
        last = self._last.get(id(variable), variable)
        try:
            if last is variable:
                return read()
            # A NumPy array may have changed since.
            if not hasattr(last, "is_deleted") or last.is_deleted():
                return None
            return last if tuple(last.shape) == tuple(variable.shape) else None
        except (RuntimeError, TypeError):  # donated, or left with a value of a trace (JAX)
            return None
