"""The folder that a script runs in: a view of the user's, which it may write to.

The user's folder is only read (in a container it could not be written). What the script writes
into the view is kept with the run, in ``files/``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections import deque
from typing import Any, Deque, Dict, Iterator, List, NamedTuple, Optional, Tuple

from keras_repro.recorder import removal
from keras_repro.recorder.limits import in_words

# Up to this size a file is copied, so that the script may write over it; larger ones are links.
COPIED_BYTES = 16 << 20
ALL_COPIED_BYTES = 256 << 20
# Where the script's user cannot follow a link to a file, it is copied whatever its size.
ALL_CLOSED_BYTES = 512 << 20
MOST_ENTRIES = 20000  # beyond, folders are links: nearest first
LINKED = frozenset(("artifacts", "baselines", "node_modules", "__pycache__"))
FOLDER = "work"
LEVEL = "work-of-keras-repro"
NOT_KEPT = frozenset(("__pycache__", ".pytest_cache", ".ipynb_checkpoints"))
MOST_FILES = 10000
DEEPEST = 64  # folders within folders

Stamp = Tuple[int, int]


class ClosedError(Exception):
    """The script's user cannot read something, and it is too large to be copied."""


class Work(NamedTuple):
    """A view: where it is, and what the files in it were when it was made."""

    folder: str
    home: str
    stamps: Dict[str, Stamp]


class Kept(NamedTuple):
    """Which files of a view were kept, with their sizes, and which were left out, and why."""

    files: Dict[str, int]
    left_out: Dict[str, str]


def make(
    source: str,
    scratch: str,
    data: List[Tuple[str, str]],
    datasets: Optional[str],
    keras_home: Optional[str],
    run_as: Optional[Tuple[int, int]],
    view_name: str = FOLDER,
) -> Work:
    """Return a view of the folder ``source`` as ``scratch``/``view_name``, with a home of its own.

    ``data`` has pairs (place, folder): a link at the place, relative to the view (it may lie
    above) or below ``~``. The home is a Keras home too, with the ``keras.json`` of ``keras_home``
    and a link to ``datasets``. All belongs to ``run_as``, where another user is to run the script.

    Raises:
        ClosedError: what only this user can read is too large to be copied.
        OSError: the view cannot be written.
    """
    above = max([_steps_up(place) for place, _ in data] or [0])
    # Under a name that no folder of data beside it has.
    view = os.path.join(scratch, *([view_name] + [LEVEL] * above))
    home = os.path.join(scratch, "home")
    os.makedirs(view)
    os.makedirs(os.path.join(home, ".keras"))
    skipped = {os.path.normpath(place) for place, _ in data}
    stamps = _View(source, view, skipped, run_as).fill()
    # The outer first: what lies within is seen through it.
    for place, folder in sorted(data, key=lambda item: item[0].count(os.sep)):
        _link_data(place, os.path.join(source, folder), view, home)
    if keras_home:
        _copy_config(keras_home, os.path.join(home, ".keras"))
    if datasets:
        # Keras unpacks archives there, and deletes what has another hash than it expects.
        link_files(os.path.abspath(datasets), os.path.join(home, ".keras", "datasets"), 0o755)
    if run_as is not None:
        os.chmod(scratch, 0o755)  # noqa: S103 - for its user's parents, and for ours afterwards
        for folder, folders, files in os.walk(scratch, topdown=False):
            for name in folders + files:
                os.lchown(os.path.join(folder, name), *run_as)
    return Work(view, home, stamps)


def keep(work: Work, target: str, limit: int) -> Kept:
    """Copy what the script wrote into the folder ``target``, at most ``limit`` bytes of it.

    To be called once the script has ended. The smallest files first, so that few are left out.
    Links are followed nowhere.
    """
    kept = Kept({}, {})
    room = limit
    for size, path in sorted(_written(work, kept)):
        if size > room or len(kept.files) == MOST_FILES:
            kept.left_out[path] = "%s, and no room" % in_words(size)
            continue
        try:
            os.makedirs(os.path.join(target, os.path.dirname(path)), exist_ok=True)
            copied = _copy_regular(
                os.path.join(work.folder, path), os.path.join(target, path), size
            )
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) or _lies_in(target, error):
                raise  # the script closed its own files only
            kept.left_out[path] = str(error.strerror or error).lower()
            continue
        kept.files[path] = copied
        room -= copied
    return kept


def _lies_in(target: str, error: OSError) -> bool:
    """Return whether it is below ``target`` that nothing can be written."""
    denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    return denied and (str(error.filename) + os.sep).startswith(target + os.sep)


def _written(work: Work, kept: Kept) -> Iterator[Tuple[int, str]]:
    """Yield size and path of each file that a script wrote, and make it readable."""
    folders: Deque[str] = deque([""])
    while folders:
        path = folders.popleft()
        if path.count(os.sep) >= DEEPEST:
            kept.left_out[path] = "nested too deep"
            continue
        with contextlib.ExitStack() as stack:
            try:
                place = os.path.join(work.folder, path)
                folder = stack.enter_context(removal.opened(place))
                names = sorted(os.listdir(folder))
            except OSError as error:
                if error.errno == errno.EIO:  # a path that is too long is none of ours
                    raise
                kept.left_out[path] = str(error.strerror or error).lower()
                continue
            for name in names:
                status = os.lstat(name, dir_fd=folder)
                inner = os.path.join(path, name)
                if stat.S_ISDIR(status.st_mode) and name not in NOT_KEPT:
                    removal.take(name, folder)
                    folders.append(inner)
                elif stat.S_ISREG(status.st_mode) and work.stamps.get(inner) != _stamp(status):
                    removal.take(name, folder, 0o644)
                    yield status.st_size, inner


class _View:
    """Fills a view: folders, copies and links, nearest first."""

    def __init__(self, source: str, view: str, skipped: Any, run_as: Any) -> None:
        self.source = source
        self.view = view
        self.skipped = skipped
        self.run_as = run_as
        self.stamps: Dict[str, Stamp] = {}
        self.entries = self.copied = self.closed_copied = 0

    def fill(self) -> Dict[str, Stamp]:
        queue: Deque[Tuple[str, bool]] = deque([("", self._is_closed(os.stat(self.source)))])
        while queue:
            folder, closed = queue.popleft()
            for entry in self._list(folder):
                path = os.path.join(folder, entry.name)
                if path in self.skipped:
                    continue
                self.entries += 1
                try:
                    status = entry.stat(follow_symlinks=False)
                    self._take(entry, path, status, closed, queue)
                except FileNotFoundError:  # it went away meanwhile
                    continue
        return self.stamps

    def _list(self, folder: str) -> List[Any]:
        try:
            with os.scandir(os.path.join(self.source, folder)) as entries:
                return sorted(entries, key=lambda entry: str(entry.name))
        except PermissionError:
            return []

    def _take(self, entry: Any, path: str, status: Any, closed: bool, queue: Any) -> None:
        place = os.path.join(self.view, path)
        closed = closed or self._is_closed(status)
        if stat.S_ISDIR(status.st_mode):
            hidden = entry.name.startswith(".") or entry.name in LINKED
            if hidden or (self.entries > MOST_ENTRIES and not closed):
                os.symlink(entry.path, place)
            else:
                os.mkdir(place)
                queue.append((path, closed))
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(entry.path, place)
        elif stat.S_ISREG(status.st_mode):
            small = status.st_size <= COPIED_BYTES
            if closed or (small and self.copied + status.st_size <= ALL_COPIED_BYTES):
                self._copy(entry.path, place, path, status, closed)
            else:
                os.symlink(entry.path, place)

    def _copy(self, source: str, place: str, path: str, status: Any, closed: bool) -> None:
        if closed:
            self.closed_copied += status.st_size
            if self.closed_copied > ALL_CLOSED_BYTES:
                raise ClosedError(self.source)
        else:
            self.copied += status.st_size
        try:
            _copy_regular(source, place, status.st_size)
        except PermissionError:  # nobody here can read it, nor will the script
            os.symlink(source, place)
            return
        os.chmod(place, stat.S_IMODE(status.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.stamps[path] = _stamp(os.lstat(place))

    def _is_closed(self, status: Any) -> bool:
        """Whether the user that is to run the script has no way through or no right to read."""
        if self.run_as is None or status.st_uid == self.run_as[0]:
            return False
        if stat.S_ISLNK(status.st_mode):
            return False
        needed = 0o5 if stat.S_ISDIR(status.st_mode) else 0o4
        if status.st_gid == self.run_as[1]:
            needed <<= 3
        return bool(status.st_mode & needed != needed)


def _stamp(status: Any) -> Stamp:
    return status.st_size, status.st_mtime_ns


def _copy_regular(source: str, place: str, size: int) -> int:
    """Copy at most ``size`` bytes of a regular file, and no link; return how many."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as reading, open(place, "xb") as writing:
        left = size
        while left:
            block = reading.read(min(left, 1 << 20))
            if not block:
                break
            writing.write(block)
            left -= len(block)
        return size - left


def _steps_up(place: str) -> int:
    return os.path.normpath(place).split(os.sep).count("..")


def _link_data(place: str, folder: str, view: str, home: str) -> None:
    if place.startswith("~/"):
        target = os.path.join(home, place[2:])
    else:
        target = os.path.normpath(os.path.join(view, place))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):  # it is seen already, through a linked folder
        return
    if os.path.isdir(folder) and os.access(folder, os.W_OK):  # no container's read-only mount
        link_files(folder, target, 0o555)
    else:
        os.symlink(folder, target)


def link_files(source: str, target: str, mode: int) -> None:
    """Make a folder of links to files, so that deleting one deletes nothing of the user's.

    ``mode`` is that of the folders. Beyond some number of entries, folders are links themselves.
    """
    queue: Deque[str] = deque([""])
    made: List[str] = []
    entries = 0
    while queue:
        path = queue.popleft()
        place = os.path.join(target, path) if path else target
        if entries > MOST_ENTRIES:
            os.symlink(os.path.join(source, path), place)
            continue
        os.mkdir(place)
        made.append(place)
        for name in sorted(os.listdir(os.path.join(source, path))):
            entries += 1
            inner = os.path.join(source, path, name)
            if os.path.isdir(inner) and not os.path.islink(inner):
                queue.append(os.path.join(path, name))
            else:
                os.symlink(inner, os.path.join(place, name))
    for place in reversed(made):
        os.chmod(place, mode)


def _copy_config(keras_home: str, target: str) -> None:
    path = os.path.join(keras_home, "keras.json")
    if os.path.isfile(path):
        shutil.copyfile(path, os.path.join(target, "keras.json"))
