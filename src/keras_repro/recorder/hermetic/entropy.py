"""The operating system's entropy, as a function of the seed.

NumPy and ``secrets`` take theirs from ``random.SystemRandom``, which has its own name for
``os.urandom``; an unseeded ``random.Random`` takes its from the system in C.
"""

from __future__ import annotations

import _random
import functools
import operator
import os
import random
import tempfile
import threading
import uuid
from typing import Any, Dict, Tuple

from keras_repro.recorder.hermetic import callers
from keras_repro.recorder.hermetic.callers import RECORDER, SCRIPT, number
from keras_repro.recorder.hermetic.stand_in import put

SEED_BYTES = 32


class Streams:
    """Entropy for whoever asks: the script and the rest each have their own, and so has a thread.

    A process that the script forks goes on with others than its parent.
    """

    def __init__(self, *words: object) -> None:
        self._words: Tuple[object, ...] = words
        self._real = os.urandom
        self._forks = 0
        self._lock = threading.Lock()
        self._begin()
        os.register_at_fork(before=self._before_fork, after_in_child=self._in_fork)

    def _begin(self) -> None:
        self._main = threading.get_ident()
        self._own = threading.local()
        self._names: Dict[str, int] = {}

    def _before_fork(self) -> None:
        self._forks += 1

    def _in_fork(self) -> None:
        self._words += ("fork", self._forks)
        self._forks, self._lock = 0, threading.Lock()  # a thread of the parent's may have held it
        self._begin()

    def draw(self, count: int) -> bytes:
        """Return so many bytes. Raises as ``os.urandom`` does."""
        who = callers.caller()
        count = operator.index(count)
        if who is RECORDER or count <= 0:
            return self._real(count)
        streams: Dict[str, Any] = self._own.__dict__
        name = "script" if who is SCRIPT else "others"
        if name not in streams:
            words = self._words + (name,) + self._thread()
            streams[name] = _random.Random(number(1 << 256, *words))
        return int(streams[name].getrandbits(8 * count)).to_bytes(count, "little")

    def _thread(self) -> Tuple[object, ...]:
        if threading.get_ident() == self._main:
            return ()
        if not hasattr(self._own, "place"):
            name = threading.current_thread().name
            with self._lock:
                self._names[name] = self._names.get(name, 0) + 1
                self._own.place = (name, self._names[name])
        return tuple(self._own.place)

    def seed(self, bits: int = 64) -> int:
        """Return a number of so many bits."""
        return int.from_bytes(self.draw(bits // 8), "little")


def install(*words: object) -> Streams:
    """Let all that asks the system for entropy be told what these words decide; return it."""
    streams = Streams(*words)
    put(os, "urandom", streams.draw)
    put(os, "getrandom", lambda size, flags=0: streams.draw(size))
    random._urandom = os.urandom  # type: ignore[attr-defined]
    real_seed = random.Random.seed

    @functools.wraps(real_seed)
    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        if a is None and callers.caller() is not RECORDER:
            a = int.from_bytes(streams.draw(SEED_BYTES), "little")
        real_seed(self, a, version)

    random.Random.seed = seed  # type: ignore[method-assign]
    random.seed = random._inst.seed
    if hasattr(tempfile, "_name_sequence"):  # the names to come are drawn anew
        tempfile._name_sequence = None
    _install_uuid1(streams)
    return streams


def _install_uuid1(streams: Streams) -> None:
    """Let ``uuid1`` take its clock sequence from the stream.

    It asks C for all, or else draws from the generator that the script may have seeded.
    """
    real = uuid.uuid1

    @functools.wraps(real)
    def uuid1(node: Any = None, clock_seq: Any = None) -> uuid.UUID:
        node = uuid.getnode() if node is None else node
        return real(node, streams.seed(16) >> 2 if clock_seq is None else clock_seq)

    uuid.uuid1 = uuid1
