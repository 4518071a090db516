"""What a script's run compiles, for the next run of the same script: of an image, in a volume.

Each run has a copy of its own of what the image brings and what earlier runs of the same script
compiled, so that no script finds what another one left. Where there is no such volume, as outside
of containers, nothing is done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from typing import Iterator, NamedTuple, Optional, Tuple

from keras_repro.recorder import facts, removal
from keras_repro.recorder.request import Request

COMPILED = "theano"
MOST_BYTES = 200 << 20


class Cache(NamedTuple):
    """The copy that a run works with, where it came from, and where new parts of it go."""

    copy: str
    image: str
    kept: str


def prepare(request: Request) -> Optional[Cache]:
    """Fill KERAS_REPRO_RUN_CACHE for a script; return None where there is nothing to fill.

    It is filled from KERAS_REPRO_IMAGE_CACHE, and from what was kept in KERAS_REPRO_KEPT_CACHE.
    """
    names = ("KERAS_REPRO_RUN_CACHE", "KERAS_REPRO_IMAGE_CACHE", "KERAS_REPRO_KEPT_CACHE")
    copy, image, kept = (os.environ.get(name, "") for name in names)
    if not copy or not image:
        return None
    shutil.copytree(image, copy)
    cache = Cache(copy, image, os.path.join(kept, facts.file_sha256(request.script) or "none"))
    for path, _ in _files(os.path.join(cache.kept, COMPILED)):
        target = os.path.join(copy, COMPILED, path)
        # Another run may be exchanging it; what is missing is compiled anew.
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.lexists(target):
                shutil.copyfile(os.path.join(cache.kept, COMPILED, path), target)
    if request.run_as is not None:
        for folder, _, files in os.walk(copy, topdown=False):  # what is given away is closed
            for name in files:
                os.lchown(os.path.join(folder, name), *request.run_as)
            os.lchown(folder, *request.run_as)
    return cache


def keep(cache: Cache) -> None:
    """Keep what the run compiled, in place of what earlier ones did; never fails a run for it."""
    if not os.path.isdir(os.path.join(cache.image, COMPILED)):
        return
    with contextlib.suppress(OSError):
        _take(cache.copy)
        new = [
            path
            for path, _ in _files(os.path.join(cache.copy, COMPILED))
            if not os.path.lexists(os.path.join(cache.image, COMPILED, path))
        ]
        if not new or all(os.path.lexists(os.path.join(cache.kept, COMPILED, p)) for p in new):
            return
        os.makedirs(os.path.dirname(cache.kept), exist_ok=True)
        made = tempfile.mkdtemp(dir=os.path.dirname(cache.kept), prefix=".new-")
        try:
            room = MOST_BYTES
            for path in new:
                source = os.path.join(cache.copy, COMPILED, path)
                target = os.path.join(made, COMPILED, path)
                room -= os.lstat(source).st_size
                if room < 0:
                    return
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)
            old = made + ".old"
            with contextlib.suppress(FileNotFoundError):
                os.rename(cache.kept, old)
            os.rename(made, cache.kept)
            removal.remove(old)
        finally:
            removal.remove(made)


def _take(folder: str) -> None:
    """Make this process the owner of a copy that the script's user wrote to."""
    with removal.opened(os.path.dirname(folder)) as parent:
        removal.take(os.path.basename(folder), parent)
    for path, status in _entries(folder):
        with removal.opened(os.path.dirname(os.path.join(folder, path))) as parent:
            is_folder = stat.S_ISDIR(status.st_mode)
            removal.take(os.path.basename(path), parent, 0o755 if is_folder else 0o644)


def _files(folder: str) -> Iterator[Tuple[str, os.stat_result]]:
    """Yield each regular file below a folder, by its path from there."""
    return (item for item in _entries(folder) if stat.S_ISREG(item[1].st_mode))


def _entries(folder: str) -> Iterator[Tuple[str, os.stat_result]]:
    """Yield what lies in a folder and in its folders: Theano nests its modules no deeper."""
    for name in _listed(folder):
        status = os.lstat(os.path.join(folder, name))
        yield name, status
        if stat.S_ISDIR(status.st_mode):
            for inner in _listed(os.path.join(folder, name)):
                path = os.path.join(name, inner)
                yield path, os.lstat(os.path.join(folder, path))


def _listed(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(os.listdir(folder))
    return []
