"""Write a run folder whole or not at all, and never over a good run by a failed one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
from typing import Any, Callable, Dict, Iterator, Optional

from keras_repro.recorder import contract, removal

COPIED = 1 << 20  # bytes at a time
MOST_FIGURES, MOST_FIGURES_BYTES = 1000, 100 << 20


class NotARunFolderError(Exception):
    """The output folder holds something else than a run."""


@contextlib.contextmanager
def locked(out: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on the run folder ``out``, waiting for it when another run holds it.

    The lock is the kernel's and ends with its holder, so a killed run leaves nothing locked.
    ``on_wait`` is called once, before waiting.
    """
    parent, name = os.path.split(out)
    os.makedirs(parent, exist_ok=True)
    path = os.path.join(parent, "." + name + ".lock")
    if os.path.islink(path):  # no run made it, and it may lead anywhere
        os.unlink(path)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def prepare(out: str) -> str:
    """Return a new staging folder for ``out``, to be called under its lock.

    It is the recorder's alone, with its log and, in ``contract.OUTPUT``, the one folder that the
    script's process writes to: from there no way leads up where that process is another user's.

    Raises:
        NotARunFolderError: ``out`` exists and is something else, which must not be replaced.
    """
    if os.path.lexists(out) and (os.path.islink(out) or not os.path.isdir(out)):
        raise NotARunFolderError("%s is not a folder" % out)
    if os.path.isdir(out) and os.listdir(out) and contract.FACTS not in os.listdir(out):
        raise NotARunFolderError("%s holds something else than a run" % out)
    staging = contract.staging_folder(out)
    aside = contract.aside(staging)
    if os.path.lexists(aside) and not os.path.lexists(out):  # killed between two renames
        os.rename(aside, out)
    clear(aside, out)
    clear(staging, out)
    os.mkdir(staging, 0o700)
    os.mkdir(os.path.join(staging, contract.OUTPUT))
    return staging


def take_over(staging: str, copying: bool = False) -> None:
    """Move what the script's process may leave out of its folder, and remove the rest of it.

    To be called once that process has ended. What is no regular file is no part of a run. With
    ``copying`` files are copied, for another process may hold them open.
    """
    with removal.opened(staging) as folder:
        output = contract.OUTPUT
        if not stat.S_ISDIR(os.lstat(output, dir_fd=folder).st_mode):
            raise OSError(errno.ENOTDIR, "the script put something else in its place", output)
        removal.take(output, folder)
        with removal.opened(output, folder) as written:
            for name in contract.WRITTEN:
                if name != contract.TRAIL or _size(name, written) <= contract.MOST_TRAIL_BYTES:
                    _take_file(name, written, name, folder, copying)
            _take_figures(written, folder, copying)
    removal.remove(os.path.join(staging, contract.OUTPUT))


def _size(name: str, folder: int) -> int:
    try:
        return os.lstat(name, dir_fd=folder).st_size
    except FileNotFoundError:
        return 0


def _take_figures(written: int, folder: int, copying: bool) -> None:
    """Take the files of the folder of figures, as many as a person would look at."""
    name = contract.FIGURES
    try:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=written).st_mode):
            return
    except FileNotFoundError:
        return
    removal.take(name, written)
    with removal.opened(name, written) as figures:
        found = sorted(os.listdir(figures))[:MOST_FIGURES]
        if not found:
            return
        os.mkdir(name, 0o755, dir_fd=folder)
        room = MOST_FIGURES_BYTES
        with removal.opened(name, folder) as kept:
            for each in found:
                size = os.lstat(each, dir_fd=figures).st_size
                if size <= room and _take_file(each, figures, each, kept, copying):
                    room -= size


def _take_file(name: str, source: int, new_name: str, target: int, copying: bool) -> bool:
    """Move a regular file from one open folder to another; return whether it was there."""
    try:
        status = os.lstat(name, dir_fd=source)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        return False
    removal.take(name, source, 0o644)
    if copying:
        _copy(name, source, new_name, target)
        return True
    os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
    return True


def _copy(name: str, source: int, new_name: str, target: int) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.ExitStack() as files:
        old = os.open(name, flags, dir_fd=source)
        files.callback(os.close, old)
        if not stat.S_ISREG(os.fstat(old).st_mode):
            raise OSError(errno.EINVAL, "the script put something else in its place", name)
        new = os.open(new_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=target)
        files.callback(os.close, new)
        with os.fdopen(os.dup(old), "rb") as source_file, os.fdopen(os.dup(new), "wb") as file:
            shutil.copyfileobj(source_file, file, COPIED)


def abandon(out: str, facts: Dict[str, Any]) -> Optional[str]:
    """Publish as failed the run of which only the staging folder is left; return its place.

    For the harness, whose container was killed together with the supervisor in it. None where
    there is no such folder.

    Raises:
        OSError: it is not published.
    """
    staging = contract.staging_folder(out)
    with locked(out, lambda: None):
        if not os.path.isdir(staging) or os.path.islink(staging):
            return None
        removal.remove(os.path.join(staging, contract.OUTPUT))
        place = publish(staging, out, dict(facts, outcome=contract.FAILED))
        with contextlib.suppress(OSError):  # the harness looks at what is left
            tidy(out, place)
        return place


def outcome(folder: str) -> Optional[str]:
    """Return the outcome of the run in ``folder``, or None where no run is that can be told.

    Raises:
        OSError: there is one, and it cannot be read: it may be a good one.
    """
    try:
        with open(os.path.join(folder, contract.FACTS), encoding="utf-8") as file:
            facts = json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return str(facts.get("outcome")) if isinstance(facts, dict) else None


def publish(staging: str, out: str, facts: Dict[str, Any]) -> str:
    """Write ``facts`` into the staging folder and put it in its place; return that place.

    A failed run drops its arrays, and takes ``out`` only where no completed run stands. What stood
    there before is the staging folder then; ``tidy`` is to follow.

    Raises:
        OSError: it is not published, and what stood before stands.
    """
    failed = facts["outcome"] == contract.FAILED
    if failed:
        for name in contract.WRITTEN:
            _remove(os.path.join(staging, name))
    _remove(os.path.join(staging, contract.PROGRESS))
    _remove(os.path.join(staging, contract.FACTS))
    # "x": whatever a script put there in between, a link say, is not written through.
    with open(os.path.join(staging, contract.FACTS), "x", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, sort_keys=True)
        file.write("\n")
    os.chmod(staging, 0o755)  # noqa: S103 - as mkdir makes it: from now on anybody may read it
    place = out
    if failed and outcome(out) == contract.COMPLETED:
        place = contract.failed_folder(out)
    if os.path.isdir(place):
        contract.exchange(staging, place)
    else:
        os.rename(staging, place)
    return place


def tidy(out: str, place: str) -> None:
    """Remove what stood where a run was published at ``place``; of a good one, the failed too.

    Raises:
        OSError: something cannot be removed; the next run tries again.
    """
    staging = contract.staging_folder(out)
    clear(staging, place)
    failed = contract.failed_folder(out)
    if place == out and os.path.lexists(failed) and outcome(out) == contract.COMPLETED:
        os.rename(failed, staging)  # in one step: half of a run is none
        clear(staging, out)


def clear(left: str, out: str) -> None:
    """Remove a staging folder; what a person added to a run in it is carried over to ``out``.

    Raises:
        OSError: something cannot be carried over, which stays then, or removed.
    """
    parent, name = os.path.split(left)
    with contextlib.ExitStack() as files:
        files.enter_context(contextlib.suppress(FileNotFoundError, NotADirectoryError))
        top = files.enter_context(removal.opened(parent))
        old = files.enter_context(removal.opened(name, top))
        new = files.enter_context(removal.opened(os.path.basename(out), top))
        names = os.listdir(old)
        passing = (contract.PROGRESS, contract.OUTPUT)  # of one that was about to be published
        added = set(names).difference(contract.OWN_ENTRIES, passing, os.listdir(new))
        # Without facts it never was a run: a killed one left it.
        for each in added if contract.FACTS in names else ():
            os.rename(each, each, src_dir_fd=old, dst_dir_fd=new)
    removal.remove(left)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
