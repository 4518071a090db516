"""Let Theano find again what it compiled, where a bug makes it compile anew every time.

CLinker.cmodule_key_ (theano/gof/cc.py, 1.0.5) appends each operation's ``__props__`` to the key's
versions, and takes an empty version to mean "never keep this". An operation without properties
has an empty ``__props__``, so that its C code, which has a version, is compiled in every process:
two calls of g++ for the regression. A property that is always the same gives the key a version.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Iterator

CONSTANT_PROPERTY = ("__module__",)


def keep_compiled(theano: ModuleType) -> None:
    """Give every operation without properties one that never changes."""
    for operation in _subclasses(theano.gof.Op):
        if operation.__dict__.get("__props__") == ():
            operation.__props__ = CONSTANT_PROPERTY


def _subclasses(cls: Any) -> Iterator[Any]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
