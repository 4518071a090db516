"""Remove or take over a folder that somebody else filled: of any depth, with any modes and links.

Every step is relative to an open folder, and no link is followed, so that nothing outside is
touched whatever is exchanged meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from typing import Iterator

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove(path: str) -> None:
    """Remove what lies at ``path``, a folder or anything else, where there is something.

    Raises:
        OSError: it cannot be removed.
    """
    parent, name = os.path.split(os.path.abspath(path))
    with contextlib.suppress(FileNotFoundError), opened(parent) as folder:
        _remove(name, folder)


@contextlib.contextmanager
def opened(name: str, parent: int | None = None) -> Iterator[int]:
    """Give a descriptor of a folder, in ``parent`` where one is given. Raises OSError."""
    flags = FOLDER if parent is not None else os.O_RDONLY | os.O_DIRECTORY
    descriptor = os.open(name, flags, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def take(name: str, folder: int, mode: int = 0o755) -> None:
    """Make this process the owner of a file or folder, and set its mode; a link is left alone."""
    status = os.lstat(name, dir_fd=folder)
    if stat.S_ISLNK(status.st_mode):
        return
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(name, os.geteuid(), os.getegid(), dir_fd=folder, follow_symlinks=False)
    if stat.S_IMODE(status.st_mode) != mode:
        os.chmod(name, mode, dir_fd=folder)


def _remove(name: str, parent: int) -> None:
    if not _is_folder(name, parent):
        os.unlink(name, dir_fd=parent)
        return
    take(name, parent)
    with opened(name, parent) as top:
        # A folder's folders are moved up before it goes, so that no depth needs a stack or a path.
        for inner in _all(top):
            if not _is_folder(inner, top):
                os.unlink(inner, dir_fd=top)
                continue
            take(inner, top)
            with opened(inner, top) as folder:
                for each in os.listdir(folder):
                    if not _is_folder(each, folder):
                        os.unlink(each, dir_fd=folder)
                        continue
                    take(each, folder)  # one that is not writable cannot be moved
                    os.rename(each, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
            os.rmdir(inner, dir_fd=top)
    os.rmdir(name, dir_fd=parent)


def _all(folder: int) -> Iterator[str]:
    """Yield every name in a folder, also those that come while it is emptied."""
    names = os.listdir(folder)
    while names:
        yield from names
        names = os.listdir(folder)


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode)
