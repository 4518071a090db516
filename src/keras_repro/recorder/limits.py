"""How long a script may run, how much memory it may use, and how many processes and threads."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Dict, List, NamedTuple, Optional

from keras_repro.recorder.contract import OVER_LIMIT, Conditions, most_processes

POLL_SECONDS = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")
# Without a limit of the user's: what no honest script meets, and what leaves the machine usable.
MEMORY_SHARE = 0.9


class Limits:
    """The limits of a run, those that nobody gave by default; the clock starts now.

    ``apart`` is the number of a process that is none of the run's.
    """

    def __init__(self, conditions: Conditions, apart: Optional[int] = None) -> None:
        self._apart = apart
        self.seconds: Optional[float] = conditions.time_limit
        self.memory = conditions.memory_limit or int(memory_there() * MEMORY_SHARE)
        self.processes = conditions.processes_limit or most_processes(os.cpu_count() or 1)
        self.started = time.monotonic()

    def patience(self) -> float:
        """Return for how many seconds nobody need look."""
        if self.seconds is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.0, self.started + self.seconds - time.monotonic()))

    def exceeded(self) -> Optional[str]:
        """Return which limit this process' descendants went over, in words, or None."""
        if self.seconds is not None and time.monotonic() - self.started >= self.seconds:
            return "it ran longer %s %g s" % (OVER_LIMIT, self.seconds)
        running = [one for one in descendants(os.getpid()) if one.number != self._apart]
        used = sum(process.memory for process in running)
        if used > self.memory:
            return "it used %s, more %s %s" % (in_words(used), OVER_LIMIT, in_words(self.memory))
        count = sum(process.threads for process in running)
        if count > self.processes:
            return "it ran %d processes and threads, more %s %d (--processes-limit)" % (
                count,
                OVER_LIMIT,
                self.processes,
            )
        return None


class Process(NamedTuple):
    """A process: its number, its parent's, its threads, and the bytes of memory it holds."""

    number: int
    parent: int
    threads: int
    memory: int


def descendants(root: int) -> List[Process]:
    """Return the processes that a process started, and they in turn; none where /proc is not.

    One whose parent has ended is the child of the nearest process above that adopts such children,
    which the recorder does.
    """
    children: Dict[int, List[Process]] = {}
    for process in _processes():
        children.setdefault(process.parent, []).append(process)
    found: List[Process] = []
    left = [root]
    while left:
        inner = children.pop(left.pop(), [])
        found += inner
        left += [process.number for process in inner]
    return found


def _processes() -> List[Process]:
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:  # macOS
        return []
    for name in filter(str.isdigit, names):
        # It may have ended.
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as file:
                # After the command, which may hold anything: state, parent, group, ...
                fields = file.read().rpartition(")")[2].split()
            memory = int(fields[21]) * PAGE
            found.append(Process(int(name), int(fields[1]), int(fields[17]), memory))
    return found


def memory_there() -> int:
    """Return the bytes of memory of this machine, or of this container where it may use fewer."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
            found = min(found, int(file.read()))
    return found


def in_words(size: int) -> str:
    """Return a number of bytes as a person writes it: 1.5 GB, of 1024 MB."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1024:
            return "%.4g %s" % (value, unit)
        value /= 1024
    return "%.4g GB" % value
