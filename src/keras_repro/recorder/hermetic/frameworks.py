"""What frameworks draw from the system's entropy themselves, where Python can reach it."""

from __future__ import annotations

import contextlib
import itertools
import sys
from types import ModuleType
from typing import Any, Callable, Dict

from keras_repro.recorder.hermetic.entropy import Streams

LARGEST = 2**31 - 1  # of TensorFlow's seeds, which are less


def hooks(seed: int, streams: Streams) -> Dict[str, Callable[[ModuleType], None]]:
    """Return, per framework, what to do as soon as it is imported."""

    def torch(module: Any) -> None:
        def anew() -> int:
            found = streams.seed()
            module.manual_seed(found)
            return found

        module.seed = module.random.seed = anew

    def tensorflow(module: ModuleType) -> None:
        _seed_graphs(seed)
        if not module.__version__.startswith("1."):
            _seed_generators(streams)

    return {"torch": _where_it_fits(torch), "tensorflow": _where_it_fits(tensorflow)}


def _where_it_fits(hook: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    """Return what leaves a framework that is made otherwise as it is."""

    def call(module: ModuleType) -> None:
        with contextlib.suppress(AttributeError):
            hook(module)

    return call


def _seed_graphs(seed: int) -> None:
    """Give operations without any seed one, in graphs that have none; TensorFlow draws it in C++.

    Operations with a seed of their own keep theirs.
    """
    random_seed: Any = sys.modules.get("tensorflow.python.framework.random_seed")
    ops: Any = sys.modules.get("tensorflow.python.framework.ops")
    context: Any = sys.modules.get("tensorflow.python.eager.context")
    if random_seed is None or ops is None or context is None:
        return
    real, count = random_seed.get_seed, itertools.count()

    def get_seed(op_seed: Any) -> Any:
        if op_seed is not None:
            return real(op_seed)
        if context.executing_eagerly():
            given = context.global_seed()
            return (seed % LARGEST, 1 + next(count)) if given is None else real(None)
        graph = ops.get_default_graph()
        if graph.seed is not None:
            return real(None)
        graph.seed = seed
        try:
            return real(None)
        finally:
            graph.seed = None

    random_seed.get_seed = get_seed


def _seed_generators(streams: Streams) -> None:
    """Make TensorFlow's generators that ask for entropy; with determinism on it refuses to."""
    module: Any = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    if module is None:
        return
    real = module.get_global_generator

    def from_entropy(cls: Any, alg: Any = None) -> Any:
        return cls.from_seed(streams.seed() >> 1, alg=alg)

    def get_global_generator() -> Any:
        if module.global_generator is None:
            with module.ops.init_scope():
                module.global_generator = from_entropy(module.Generator)
        return real()

    module.Generator.from_non_deterministic_state = classmethod(from_entropy)
    for place in (module, sys.modules["tensorflow"].random):
        place.get_global_generator = get_global_generator
