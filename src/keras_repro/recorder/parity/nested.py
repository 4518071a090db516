"""Lists, tuples and dictionaries of arrays, as Keras takes them for inputs and targets."""

from __future__ import annotations

from typing import Any, List


def flat(value: Any) -> List[Any]:
    """Return the parts of a structure, one level deep, a dictionary's in the order of its keys."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value[name] for name in sorted(value)]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def filled(value: Any, parts: List[Any]) -> Any:
    """Return a structure as ``flat`` took it apart, with other parts."""
    if value is None:
        return None
    if isinstance(value, dict):
        return dict(zip(sorted(value), parts))
    return list(parts) if isinstance(value, (list, tuple)) else parts[0]
