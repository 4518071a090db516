"""Put a folder in another's place in one step; what killed ones left is put right."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from keras_repro.errors import CannotWriteError
from keras_repro.recorder import contract

PARTIAL = ".partial"  # what the name of a folder ends with in which the next one is made


def replace_folder(
    folder: Path, what: str, own: Collection[str], fill: Callable[[Path], None]
) -> str:
    """Put what ``fill`` writes into a folder in the place of ``folder``; to be called under a lock.

    ``own`` names the entries that are its own; what else lies in the old one, a person added, and
    is kept. ``what`` it is goes before its path in an error. Returns what could not be tidied up
    once the new one stood, in a sentence; mostly nothing.

    Raises:
        CannotWriteError: it cannot be written; what was there stands as it was.
    """
    place = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        place = Path(tempfile.mkdtemp(PARTIAL, f".{folder.name}.", folder.parent))
        staging = place / folder.name
        staging.mkdir()
        fill(staging)
        _copy_added(folder, staging, own)
        written_ones = [name for name in own if (staging / name).exists()]
        for name in (*written_ones, "."):
            _to_disk(staging / name)
        _put(staging, folder)
        return _tidied(place, folder, what)
    except OSError as error:
        raise CannotWriteError(
            f"cannot write the {what} {folder}: {error.strerror or error}; "
            "what was there is untouched"
        ) from None
    finally:
        # Not the old one, where it could not be put back: the next one does that.
        if place is not None and not os.path.isdir(contract.aside(str(place / folder.name))):
            shutil.rmtree(place, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed ones left beside ``folder``, as far as that goes."""
    for path in _partial(folder):
        _put_back(Path(contract.aside(str(path / folder.name))), folder)
        shutil.rmtree(path, ignore_errors=True)


def is_aside(folder: Path) -> bool:
    """Whether a folder has been moved aside, to put another in its place."""
    try:
        places = _partial(folder)
    except OSError:  # where nothing lies, nothing is aside
        return False
    return any(os.path.isdir(contract.aside(str(path / folder.name))) for path in places)


def _partial(folder: Path) -> list[Path]:
    """Return the folders beside ``folder`` in which its next one is written. Raises OSError."""
    named = re.compile(rf"\.{re.escape(folder.name)}(\.[a-z0-9_]+)?{re.escape(PARTIAL)}")
    # Of something else, rmtree would wait for a pipe's writer.
    return [x for x in folder.parent.iterdir() if named.fullmatch(x.name) and x.is_dir()]


def _put_back(aside: Path, folder: Path) -> None:
    if aside.is_dir() and not os.path.lexists(folder):
        aside.rename(folder)


def _copy_added(folder: Path, staging: Path, own: Collection[str]) -> None:
    """Copy what a person added to the old one: before the exchange all of it can fail."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in own:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, staging / path.name, symlinks=True)
        else:
            shutil.copy2(path, staging / path.name, follow_symlinks=False)


def _put(staging: Path, folder: Path) -> None:
    """Put a folder in its place, and the old one in the place of ``staging``.

    Raises:
        OSError: the old one stands.
    """
    new = staging.stat()
    try:
        if folder.is_dir():
            contract.exchange(str(staging), str(folder))
        else:
            staging.rename(folder)
    except OSError:
        # Where two folders cannot be swapped in one step, either may stand, or none.
        if folder.is_dir() and os.path.samestat(folder.stat(), new):
            return
        _put_back(Path(contract.aside(str(staging))), folder)
        raise


def _tidied(place: Path, folder: Path, what: str) -> str:
    """Remove the old one; return what is to be said where that is not possible."""
    try:
        _to_disk(folder.parent)
        shutil.rmtree(place)
    except OSError as error:
        return (
            f"the new {what} stands in {folder}, but the old one could not be removed: "
            f"{error.strerror or error}; remove {place}"
        )
    return ""


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
