"""Let a script that seeds itself have other numbers with each seed of the run.

What it gives to a well-known seeding function becomes a function of that and of the run's seed.
Only where the script itself calls: what a library seeds is part of what it does.
"""

from __future__ import annotations

import contextlib
import numbers
import random
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, Tuple

import numpy

from keras_repro.recorder.hermetic.callers import SCRIPT, caller, number
from keras_repro.recorder.hermetic.stand_in import put

LIMIT = 2**31  # below which every one of the functions takes a whole number
MOST_WORDS = 1024  # of a seed that is a list
# Where each framework has such a function, below its module. Another release may lack some.
PLACES: Dict[str, Tuple[str, ...]] = {
    "keras": ("utils.set_random_seed",),
    "keras._tf_keras.keras.utils": ("set_random_seed",),
    "tensorflow": (
        "random.set_seed",
        "random.set_random_seed",
        "set_random_seed",
        "compat.v1.set_random_seed",
        "compat.v1.random.set_random_seed",
    ),
    "torch": ("manual_seed", "random.manual_seed"),
    "jax.random": ("PRNGKey", "key"),
}


def install(seed: int) -> Dict[str, Callable[[ModuleType], None]]:
    """Replace the functions of Python and NumPy; return what to do with frameworks to come."""
    for module, name in (
        (random, "seed"),
        (numpy.random, "seed"),
        (numpy.random, "default_rng"),
    ):
        _replace(module, name, seed)
    return {name: _hook(places, seed) for name, places in PLACES.items()}


def another(seed: int, given: Any) -> Any:
    """Return what a function is given in place of a seed: from 0 on, below 2^31.

    ``seed`` is the run's. What is no number, text or list of whole numbers, as it is: None asks
    for the system's entropy, and a generator has a state already.
    """
    words = _words(given)
    return number(LIMIT, "own seeds", seed, *words) if words else given


def _words(given: Any) -> List[Any]:
    """Return what a seed is made of; nothing where it is none."""
    if isinstance(given, numbers.Integral):
        return [int(given)]
    if isinstance(given, (float, str, bytes)):
        return [given]
    if isinstance(given, numpy.ndarray) and given.dtype.kind in "iu":
        given = given.reshape(-1).tolist()
    if not isinstance(given, (list, tuple)) or len(given) > MOST_WORDS:
        return []
    whole = [int(each) for each in given if isinstance(each, numbers.Integral)]
    return whole if len(whole) == len(given) else []


def _replace(module: Any, name: str, seed: int) -> None:
    real = getattr(module, name, None)
    if real is None:
        return

    def call(*args: Any, **kwargs: Any) -> Any:
        if caller() is SCRIPT:
            if args:
                args = (another(seed, args[0]),) + args[1:]
            else:  # each calls it otherwise: a, seed
                known = ("a", "seed")
                kwargs = {k: another(seed, v) if k in known else v for k, v in kwargs.items()}
        return real(*args, **kwargs)

    put(module, name, call)


def _hook(places: Tuple[str, ...], seed: int) -> Callable[[ModuleType], None]:
    def hook(module: Any) -> None:
        for place in places:
            path = place.split(".")
            with contextlib.suppress(AttributeError, ImportError):  # it is made otherwise
                inner = sys.modules.get(module.__name__, module)  # TensorFlow 1.15 wraps its own
                for part in path[:-1]:
                    inner = getattr(inner, part)
                _replace(inner, path[-1], seed)

    return hook
