"""Keep what the frameworks make while they are imported out of garbage collection.

They make hundreds of thousands of objects that last as long as the process. Python looks through
them all again and again: half of the time of an import, and of the interpreter's end.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import Iterator

FRAMEWORKS = ("keras", "tensorflow", "theano", "jax", "torch")


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Import a framework meanwhile: nothing is collected, and what is there then never will be.

    The latter only until Keras is imported, since models may be there afterwards, which a script
    may drop. A script that has turned the collector off is left alone. See
    https://docs.python.org/3/library/gc.html#gc.freeze.
    """
    if not gc.isenabled():  # or one framework imports another
        yield
        return
    models_may_be_there = hasattr(sys.modules.get("keras"), "models")
    gc.disable()
    try:
        yield
    finally:
        if not models_may_be_there:
            gc.freeze()
        gc.enable()
