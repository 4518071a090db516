"""Put something in the place of a built-in function."""

from __future__ import annotations

import os
from typing import Any, Callable

SUPPORT = ("supports_fd", "supports_dir_fd", "supports_follow_symlinks", "supports_effective_ids")


class StandIn:
    """Stands for a built-in function: as one, it becomes no method where a class holds it."""

    # TensorFlow's AutoGraph calls what has this as it is, and rewrites everything else.
    autograph_info__ = True

    def __init__(self, module: str, real: Any, call: Callable[..., Any]) -> None:
        self.__module__ = module
        self.__name__ = self.__qualname__ = real.__name__
        self.__doc__ = real.__doc__
        self.__wrapped__ = real
        self._name = str(real.__name__)
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is said in the function's place."""
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> str:
        return self._name  # it is found by its name, as the function is


def put(module: Any, name: str, call: Callable[..., Any]) -> Any:
    """Put ``call`` in the place of a module's function, where it has it; return the stand-in."""
    real = getattr(module, name, None)
    if real is None:
        return None
    made = StandIn(module.__name__, real, call)
    setattr(module, name, made)
    for names in SUPPORT:  # os says there what each of its functions takes
        known = getattr(os, names, None)
        if known is not None and real in known:
            known.add(made)
    return made
