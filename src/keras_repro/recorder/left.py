"""What a script's user left in the folders of a container that all may write to."""

from __future__ import annotations

import contextlib
import os
from typing import Optional, Tuple

from keras_repro.recorder import removal

SHARED = ("/tmp", "/dev/shm", "/var/tmp")  # noqa: S108 - of a container


def clean(user: Optional[Tuple[int, int]]) -> None:
    """Remove what another user owns there, so that a run finds what the first in a container does.

    Not the cache of what is compiled. Outside of a container, where it may be anybody's, nothing is
    done.
    """
    if user is None or os.environ.get("KERAS_REPRO_ENGINE") != "docker":
        return
    cache = os.environ.get("KERAS_REPRO_RUN_CACHE", "")
    for place in SHARED:
        with contextlib.suppress(OSError), removal.opened(place) as folder:
            for name in os.listdir(folder):
                path = os.path.join(place, name)
                if path != cache and os.lstat(name, dir_fd=folder).st_uid == user[0]:
                    # Its own, where it is sticky, anybody may remove.
                    owner = os.geteuid(), os.getegid()
                    os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
                    removal.remove(path)
