"""The process that computes the kernels: ``python -c LAUNCH BACKEND THREADS DESCRIPTOR PROCESSOR``.

PROCESSOR is "native" or "emulated". It writes a JSON document a line to the descriptor, whatever a
framework prints: ``{"doing": name}`` before each kernel, ``{"kernel": name, "digest": text}`` or
``{"kernel": name, "problem": text}`` after it, and ``{"done": true}``.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
from typing import Any, Callable, Dict, List

from keras_repro.recorder import import_hooks, seeding, theano_march

# Keras' name of a backend: the module of its operations.
MODULES = {"jax": "on_jax", "tensorflow": "on_tensorflow", "theano": "on_theano"}
MODULES["torch"] = "on_torch"
TWICE = 2  # a kernel that is not repeatable tells nothing of the machine
DIGITS = 16
LONGEST_PROBLEM = 200


def main(argv: List[str]) -> int:
    """Compute every kernel and say its digest; return an exit code."""
    backend, threads, descriptor = argv[0], int(argv[1]), int(argv[2])

    def say(**message: Any) -> None:
        os.write(descriptor, json.dumps(message).encode() + b"\n")

    say(doing="importing " + backend)
    before = [{"theano": theano_march.compile_for_it}] if argv[3] == "emulated" else []
    import_hooks.install([seeding.framework_hooks(0, threads)], before)
    for name, compute in _kernels(backend).items():
        say(doing=name)
        try:
            digests = [digest(compute()) for _ in range(TWICE)]
        except Exception as error:
            say(kernel=name, problem=_one_line(error))
            continue
        if len(set(digests)) > 1:
            say(kernel=name, problem="two calls gave two results")
        else:
            say(kernel=name, digest=digests[0])
    say(done=True)
    return 0


def _kernels(backend: str) -> Dict[str, Callable[[], List[Any]]]:
    from keras_repro.recorder.numeric_class import kernels, on_numpy  # noqa: PLC0415

    ops = importlib.import_module("keras_repro.recorder.numeric_class." + MODULES[backend])
    return dict(kernels.kernels(ops), **on_numpy.kernels())


def digest(arrays: List[Any]) -> str:
    """Return the digest of arrays: of their types, their shapes and their bits."""
    import numpy as np  # noqa: PLC0415 - after the thread counts are set

    found = hashlib.sha256()
    for each in arrays:
        array = np.ascontiguousarray(each)
        found.update(("%s %r " % (array.dtype.str, np.shape(each))).encode() + array.tobytes())
    return found.hexdigest()[:DIGITS]


def _one_line(error: Exception) -> str:
    return " ".join(("%s: %s" % (type(error).__name__, error)).split())[:LONGEST_PROBLEM]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
