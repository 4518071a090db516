"""The clock: that of a hermetic run, or the machine's, moved.

The clock of a hermetic run begins at a moment of the year 2024 that the seed chooses, and goes on
by a sixty-fourth of a second with each reading, and by what the script sleeps. The script's
readings are counted apart from those of the libraries, which see a clock of the same kind. Python's
own library waits, and ends waiting, by the clock: its goes on as the machine's does, from the same
moment; so does that of a library's threads. A thread of the script's has a count of its own.

A clock is moved for the script alone: by it libraries tell how old a file is, and remove old ones.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import os
import sys
import threading
import time
from typing import Any, Callable, Optional

from keras_repro.recorder.hermetic import callers
from keras_repro.recorder.hermetic.callers import LIBRARY, RECORDER, SCRIPT, number
from keras_repro.recorder.hermetic.stand_in import StandIn, put

STEP = 10**9 // 64  # nanoseconds; a float has this part of a second exactly
SECOND = 10**9
YEAR_2024 = 1704067200  # seconds since 1970
YEAR = 366 * 86400
LONGEST_UP = 1 << 20  # seconds since the machine was started, as monotonic() has them

Read = Callable[[], int]


class Ticking:
    """How long a hermetic run has lasted, in nanoseconds, for whoever asks."""

    def __init__(self, moved: int) -> None:
        self._moved = moved * SECOND
        self._monotonic_ns, self._sleep = time.monotonic_ns, time.sleep
        self._began = self._monotonic_ns()
        self._script = self._library = 0
        self._own = threading.local()
        self._is_main()
        os.register_at_fork(after_in_child=self._is_main)

    def _is_main(self) -> None:
        self._main = threading.get_ident()

    def wall(self, base: int, real: Read) -> int:
        """Return the nanoseconds of the time of day, which is moved for the script."""
        moved = self._moved if callers.caller() is SCRIPT else 0
        return self.read(base, real) + moved

    def read(self, base: int, real: Read) -> int:
        """Return the nanoseconds of a clock that stood at ``base`` when the run began.

        The recorder is told ``real``.
        """
        who = callers.caller()
        if who is RECORDER:
            return real()
        in_main = threading.get_ident() == self._main
        if who is SCRIPT and in_main:
            self._script += STEP
            return base + self._script - STEP
        if who is SCRIPT:
            self._own.passed = getattr(self._own, "passed", 0) + STEP
            return base + int(self._own.passed) - STEP
        if who is LIBRARY and in_main:
            self._library += STEP
            return base + self._script + self._library - STEP
        return base + self._monotonic_ns() - self._began

    def sleep(self, seconds: float) -> None:
        """Sleep, and let the sleeper's clock go on by as much. Raises as ``time.sleep`` does."""
        self._sleep(seconds)
        who, passed = callers.caller(), int(seconds * SECOND)
        in_main = threading.get_ident() == self._main
        if who is SCRIPT and in_main:
            self._script += passed
        elif who is SCRIPT:
            self._own.passed = getattr(self._own, "passed", 0) + passed
        elif who is LIBRARY and in_main:
            self._library += passed


def install_ticking(seed: int, moved: int) -> None:
    """Give a hermetic run its clock, moved by some seconds."""
    ticking = Ticking(moved)
    start = (YEAR_2024 + number(YEAR, seed, "clock")) * SECOND
    up = number(LONGEST_UP, seed, "up") * SECOND
    for name in ("monotonic", "perf_counter"):
        _put(name, _reader(ticking, up, getattr(time, name + "_ns")))
    for name in ("process_time", "thread_time"):
        if hasattr(time, name):  # thread_time is not everywhere
            _put(name, _reader(ticking, SECOND, getattr(time, name + "_ns")))
    if hasattr(time, "clock"):  # until Python 3.7
        _put("clock", _reader(ticking, SECOND, time.process_time_ns))
    put(time, "sleep", ticking.sleep)
    real = time.time_ns
    _install_wall(lambda: ticking.wall(start, real), up, ticking)


def install_moved(moved: int) -> None:
    """Move the machine's clock by some seconds for the script."""
    real = time.time_ns

    def read() -> int:
        return real() + (moved * SECOND if callers.caller() is SCRIPT else 0)

    _install_wall(read)


def _reader(ticking: Ticking, base: int, real: Read) -> Read:
    return lambda: ticking.read(base, real)


def _put(name: str, read: Read) -> None:
    put(time, name, lambda: read() / SECOND)
    put(time, name + "_ns", read)


def _install_wall(read: Read, up: int = 0, ticking: Optional[Ticking] = None) -> None:
    """Have all that tells the time of day tell ``read``, in nanoseconds since 1970."""
    real_strftime, real_asctime = time.strftime, time.asctime
    real_localtime, real_gmtime, real_ctime = time.localtime, time.gmtime, time.ctime

    def moment(seconds: Optional[float]) -> float:
        return read() / SECOND if seconds is None else seconds

    def strftime(form: str, *when: Any) -> str:
        return real_strftime(form, *(when or (real_localtime(read() / SECOND),)))

    def asctime(*when: Any) -> str:
        return real_asctime(*(when or (real_localtime(read() / SECOND),)))

    _put("time", read)
    put(time, "localtime", lambda seconds=None: real_localtime(moment(seconds)))
    put(time, "gmtime", lambda seconds=None: real_gmtime(moment(seconds)))
    put(time, "ctime", lambda seconds=None: real_ctime(moment(seconds)))
    put(time, "strftime", strftime)
    put(time, "asctime", asctime)
    _install_system_clocks(read, up, ticking)
    _install_datetime(read)


def _install_system_clocks(read: Read, up: int, ticking: Optional[Ticking]) -> None:
    real = getattr(time, "clock_gettime_ns", None)
    if real is None:
        return
    walls = {getattr(time, name, None) for name in ("CLOCK_REALTIME", "CLOCK_TAI")}
    used = {getattr(time, n, None) for n in ("CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID")}

    def clock_ns(which: int) -> int:
        told = real(which)  # raises where there is no such clock
        if which in walls:
            return read()
        if ticking is None:
            return int(told)
        return ticking.read(SECOND if which in used else up, lambda: int(told))

    put(time, "clock_gettime_ns", clock_ns)
    put(time, "clock_gettime", lambda which: clock_ns(which) / SECOND)


def _install_datetime(read: Read) -> None:
    """Replace ``now`` and ``utcnow`` in the type itself; ``today`` asks ``time.time``.

    The type is written in C and closed to assignment. A subclass in its place would be another
    type than that of the moments which C makes: of NumPy, of a file's. The dictionary behind the
    type is open to whoever finds it, and then Python must be told that the type is another.
    """
    utc = datetime.timezone.utc

    def now(cls: Any, tz: Any = None) -> Any:
        return cls.fromtimestamp(read() / SECOND, tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(read() / SECOND, utc).replace(tzinfo=None)

    if sys.implementation.name != "cpython":
        return
    for told in (now, utcnow):
        told.autograph_info__ = StandIn.autograph_info__  # type: ignore[attr-defined]
    for found in gc.get_referents(datetime.datetime.__dict__):
        if isinstance(found, dict) and "utcnow" in found:
            found["now"], found["utcnow"] = classmethod(now), classmethod(utcnow)
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
