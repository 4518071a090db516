"""Write a run folder whole or not at all, and never over a good run by a failed one."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Optional

from keras_repro.recorder import contract


class NotARunFolderError(Exception):
    """The output folder holds something else than a run."""


@contextmanager
def locked(out: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on the run folder ``out``, waiting for it when another run holds it.

    The lock is the kernel's and ends with its holder, so a killed run leaves nothing locked.
    ``on_wait`` is called once, before waiting.
    """
    parent, name = os.path.split(out)
    os.makedirs(parent, exist_ok=True)
    descriptor = os.open(os.path.join(parent, "." + name + ".lock"), os.O_CREAT | os.O_RDWR, 0o644)
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
    """Return a new, empty staging folder for ``out``, to be called under its lock.

    Raises:
        NotARunFolderError: ``out`` exists and is something else, which must not be replaced.
    """
    if os.path.lexists(out) and not os.path.isdir(out):
        raise NotARunFolderError("%s is not a folder" % out)
    if os.path.isdir(out) and os.listdir(out) and contract.FACTS not in os.listdir(out):
        raise NotARunFolderError("%s holds something else than a run" % out)
    staging = contract.staging_folder(out)
    discard(staging)
    os.mkdir(staging)
    return staging


def discard(staging: str) -> None:
    """Remove a staging folder, whoever wrote it, where there is one."""
    if os.path.isdir(staging):
        take_back(staging)
        shutil.rmtree(staging)


def take_back(staging: str) -> None:
    """Make this process the owner of a staging folder that another user wrote.

    Links go: the recorder makes none, and one of the script's could lead anywhere.
    """
    user, group = os.getuid(), os.getgid()
    for folder, folders, files in os.walk(staging):
        os.chown(folder, user, group)
        os.chmod(folder, 0o755)  # noqa: S103 - as mkdir makes it
        for path in [os.path.join(folder, name) for name in folders + files]:
            if os.path.islink(path):
                os.unlink(path)
            else:
                os.chown(path, user, group, follow_symlinks=False)


def abandon(out: str, facts: Dict[str, Any]) -> Optional[str]:
    """Publish as failed the run of which only the staging folder is left; return its place.

    For the harness, whose container was killed together with the supervisor in it. None where
    there is no such folder.
    """
    staging = contract.staging_folder(out)
    with locked(out, lambda: None):
        if not os.path.isdir(staging):
            return None
        return publish(staging, out, dict(facts, outcome=contract.FAILED))


def outcome(folder: str) -> Optional[str]:
    """Return the outcome of the run in ``folder``, or None where no run is."""
    try:
        with open(os.path.join(folder, contract.FACTS), encoding="utf-8") as file:
            facts = json.load(file)
    except (OSError, ValueError):
        return None
    return str(facts.get("outcome")) if isinstance(facts, dict) else None


def publish(staging: str, out: str, facts: Dict[str, Any]) -> str:
    """Write ``facts`` into the staging folder and put it in its place; return that place.

    A completed run replaces ``out``, and the failed one beside it. A failed run drops its
    arrays and takes ``out`` only where no completed run stands.
    """
    failed = facts["outcome"] == contract.FAILED
    if failed:
        for name in (contract.ARRAYS, contract.INPUTS, contract.PARITY, contract.PARITY_FACTS):
            _remove(os.path.join(staging, name))
    _remove(os.path.join(staging, contract.PROGRESS))
    _remove(os.path.join(staging, contract.FACTS))
    # "x": whatever a script put there in between, a link say, is not written through.
    with open(os.path.join(staging, contract.FACTS), "x", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, sort_keys=True)
        file.write("\n")
    place = out
    if failed and outcome(out) == contract.COMPLETED:
        place = contract.failed_folder(out)
    replace_folder(staging, place)
    if not failed:
        shutil.rmtree(contract.failed_folder(out), ignore_errors=True)
    return place


def replace_folder(new: str, place: str) -> None:
    """Put the folder ``new`` at ``place``; what a person added to the old one is carried over."""
    if not os.path.isdir(place):
        os.rename(new, place)
        return
    contract.exchange(new, place)
    for name in os.listdir(new):
        if name not in contract.OWN_ENTRIES and not os.path.lexists(os.path.join(place, name)):
            os.rename(os.path.join(new, name), os.path.join(place, name))
    shutil.rmtree(new)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
