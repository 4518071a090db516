"""The states of the random generators, by digest, and how much was drawn from one."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import random
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Set, Tuple

import numpy

from keras_repro.recorder.collection import FRAMEWORKS
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import DIGEST_BYTES

WORDS = 624  # that a Mersenne Twister makes at a time
MOST_BLOCKS = 256  # looked for: more than that is told as "many"


class State(NamedTuple):
    """Where Python's generator and NumPy's global one stand: Mersenne Twisters, both."""

    python: Any
    numpy: Any


class Imports:
    """Tells what each framework's import draws, without what those that it imports draw."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._open: List[Tuple[State, Dict[str, int]]] = []
        self._before_script: Any = None
        self._seeded: Set[str] = set()

    def script_begins(self) -> None:
        """Take note of the states that the script finds, and from then on of what it seeds."""
        self._before_script = now()
        for name, module in (("random", random), ("numpy.random", numpy.random)):
            module.seed = self._noted(name, module.seed)  # type: ignore[attr-defined]
        self._trail.add("generators", at="the script's first line", states=states())

    def _noted(self, name: str, seed: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(seed)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._seeded.add(name)  # its state alone may be the one that it had
            return seed(*args, **kwargs)

        return call

    def before(self) -> Dict[str, Callable[[], None]]:
        """Return what to do before a framework is imported."""
        return dict.fromkeys(FRAMEWORKS, self._begin)

    def after(self) -> Dict[str, Callable[[ModuleType], None]]:
        """Return what to do with a framework once it is imported."""
        return dict.fromkeys(FRAMEWORKS, self._end)

    def _begin(self) -> None:
        self._open.append((now(), {}))

    def _end(self, module: ModuleType) -> None:
        if not self._open:  # it was there already
            return
        with contextlib.suppress(Exception):  # of a generator of another kind nothing is told
            self._tell(module)

    def _tell(self, module: ModuleType) -> None:
        before, within = self._open.pop()
        after = now()
        drew = {}
        for name, was, is_ in (
            ("random", _twister(before.python), _twister(after.python)),
            ("numpy.random", before.numpy, after.numpy),
        ):
            total = drawn(was, is_)
            drew[name] = total - within.get(name, 0) if total >= 0 else -1
        if self._open:
            outer = self._open[-1][1]
            for name, count in drew.items():
                outer[name] = outer.get(name, 0) + max(count, 0) + within.get(name, 0)
        drew = {name: count for name, count in drew.items() if count}
        used = [name for name in drew if self._is_used(name, before)]
        more: Dict[str, Any] = {"drew": drew} if drew else {}
        if used:  # the script had seeded it, or drawn from it
            more["moved"] = used
        self._trail.add("generators", at="import %s" % module.__name__, states=states(), **more)

    def _is_used(self, name: str, state: State) -> bool:
        """Whether the script had seeded a generator, or drawn from it, when it stood there."""
        first = self._before_script
        if first is None:
            return False
        place = 0 if name == "random" else 1
        return name in self._seeded or _digest(state[place]) != _digest(first[place])


def now() -> State:
    """Return where the generators stand."""
    return State(random.getstate(), numpy.random.get_state())


def states() -> Dict[str, str]:
    """Return a digest of each generator's state: Python's, NumPy's global one, the frameworks'.

    Nothing is made that is not there, and nothing drawn.
    """
    found = {
        "random": _digest(random.getstate()),
        "numpy.random": _digest(numpy.random.get_state()),
    }
    for name, read in (("torch", _torch), ("tensorflow", _tensorflow), ("keras", _keras)):
        module = sys.modules.get(name)
        try:
            state = None if module is None else read(module)
        except Exception:  # another release keeps it elsewhere: then it is not told
            state = None
        if state is not None:
            found[name] = _digest(state)
    return found


def drawn(before: Any, after: Any) -> int:
    """Return how many 32-bit words were drawn from a Mersenne Twister between two states of NumPy.

    -1 where it was seeded anew, or more was drawn than is looked for.
    """
    if before[0] != "MT19937" or after[0] != "MT19937":
        return 0 if _digest(before) == _digest(after) else -1
    twister = numpy.random.RandomState(0)  # of any state; entropy is the script's
    twister.set_state(before)
    count = 0
    for _ in range(MOST_BLOCKS):
        _, key, place, *_ = twister.get_state(legacy=True)
        if bool((key == after[1]).all()) and place <= after[2]:
            return count + int(after[2] - place)
        step = max(WORDS - int(place), 0) + 1  # the next block's first word makes the block
        twister.randint(0, 1 << 32, step, dtype=numpy.uint32)
        count += step
    return -1


def _twister(state: Any) -> Any:
    """Return the state of Python's generator as NumPy has it."""
    numbers = state[1]
    return "MT19937", numpy.array(numbers[:-1], dtype=numpy.uint32), numbers[-1], 0, 0.0


def _torch(torch: Any) -> Any:
    return torch.get_rng_state().numpy().tobytes()


def _tensorflow(tensorflow: Any) -> Any:
    if tensorflow.__version__.startswith("1."):  # operations' seeds count what was made before
        graph = tensorflow.compat.v1.get_default_graph()
        return graph.seed, graph._last_id
    context = sys.modules["tensorflow.python.eager.context"].context()
    generator = getattr(context, "_rng", None)
    return None if generator is None else generator.getstate()


def _keras(keras: Any) -> Any:
    if keras.__version__.startswith("2."):
        return None
    known = sys.modules["keras.src.backend.common.global_state"]
    generator = known.get_global_attribute("global_seed_generator")
    if generator is None:
        return None
    return keras.ops.convert_to_numpy(generator.state._value).tobytes()


def _digest(state: Any) -> str:
    made = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in state if isinstance(state, tuple) else (state,):
        made.update(part.tobytes() if isinstance(part, numpy.ndarray) else repr(part).encode())
    return made.hexdigest()
