"""What Keras' methods return, taken apart and named."""

from __future__ import annotations

import re
from typing import Any, List, Tuple


def metric_names(model: Any, count: int) -> List[str]:
    """Return the names of the ``count`` values in Keras' list; the first is the loss."""
    names: List[str] = []
    if count > 1:
        names = list(getattr(model, "metrics_names", []))
    if len(set(names)) != count:
        names = [str(index) for index in range(count)]
    return ["loss"] + names[1:]


def leaves(value: Any, suffix: str = "") -> List[Tuple[str, Any]]:
    """Return the arrays in a possibly nested prediction, each with the suffix of its key."""
    if isinstance(value, dict):
        items = [(safe(str(key)), part) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        items = [(str(index), part) for index, part in enumerate(value)]
    else:
        return [(suffix, value)]
    return [leaf for name, part in items for leaf in leaves(part, suffix + "." + name)]


def safe(name: str) -> str:
    """Return a name with every character replaced that no array's name has."""
    return re.sub(r"[^\w.-]+", "_", name)
