"""How many processor cores there are to use."""

import os


def cores() -> int:
    """Return how many cores this process may use; where the system does not say, all there are."""
    if hasattr(os, "sched_getaffinity"):  # Linux: a container or taskset(1) may allow fewer
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
