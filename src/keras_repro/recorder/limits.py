"""How long a script may run and how much memory it may use."""

from __future__ import annotations

import os
import time
from typing import Optional

from keras_repro.recorder.contract import OVER_LIMIT

POLL_SECONDS = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")


class Limits:
    """Limits in seconds and bytes, None for none; the clock starts now."""

    def __init__(self, seconds: Optional[float], memory: Optional[int]) -> None:
        self.seconds = seconds
        self.memory = memory
        self.started = time.monotonic()

    def patience(self) -> Optional[float]:
        """Return for how many seconds nobody need look; None where there is no limit."""
        if self.memory is not None:
            return POLL_SECONDS
        if self.seconds is None:
            return None
        return max(0.0, self.started + self.seconds - time.monotonic())

    def exceeded(self, group: int) -> Optional[str]:
        """Return which limit the process group went over, in words, or None."""
        if self.seconds is not None and time.monotonic() - self.started >= self.seconds:
            return "it ran longer %s %g s" % (OVER_LIMIT, self.seconds)
        if self.memory is not None:
            used = memory_of(group)
            if used > self.memory:
                amounts = in_words(used), OVER_LIMIT, in_words(self.memory)
                return "it used %s, more %s %s" % amounts
        return None


def memory_of(group: int) -> int:
    """Return the bytes of memory that the processes of a group hold, those they share in each."""
    total = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as file:
                # After the command, which may hold anything: state, parent, group, ...
                fields = file.read().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group:
            total += int(fields[21]) * PAGE
    return total


def in_words(size: int) -> str:
    """Return a number of bytes as a person writes it: 1.5 GB, of 1024 MB."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1024:
            return "%.4g %s" % (value, unit)
        value /= 1024
    return "%.4g GB" % value
