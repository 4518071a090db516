"""What a process that this one starts does first: become another user, and end with this one."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import Callable, Optional, Tuple

# prctl(2)
PR_SET_PDEATHSIG, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 47, 4


def becoming(run_as: Optional[Tuple[int, int]], is_emulated: bool = False) -> Callable[[], None]:
    """Return what the child does first: give up root, and die with this process."""
    libc = ctypes.CDLL(None)

    def become() -> None:
        if is_emulated:  # QEMU leaves a file of its own where a program crashes, in its folder
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
        if run_as is not None:
            # What the recorder may do must not survive as the other user's.
            if hasattr(libc, "prctl"):
                libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
            os.setgroups([])
            os.setgid(run_as[1])
            os.setuid(run_as[0])
        if hasattr(libc, "prctl"):  # Linux
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return become
