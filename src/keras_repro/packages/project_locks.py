"""A project's own locks, which go before those that the backends carry."""

import re
from pathlib import Path

from keras_repro import backends
from keras_repro.backends import Backend
from keras_repro.errors import UsageError

ADDED = "# asked for besides: "  # what the backend itself does not name


def of_project(backend: Backend, folder: Path) -> Backend:
    """Return a backend with its lock of a project's, where ``folder`` has one.

    Raises:
        UsageError: it is no lock, or cannot be read.
    """
    path = folder / f"{backend.name}.txt"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return backend
    except (OSError, UnicodeDecodeError) as error:
        why = str(getattr(error, "strerror", "")).lower() or "it is no UTF-8 text"
        raise UsageError(f"cannot read the lock {path}: {why}") from None
    unlocked = [name for name, entry in backends.entries(text).items() if "--hash=" not in entry]
    if unlocked or not backends.versions(text):
        what = f"{unlocked[0]} has no hash" if unlocked else "it locks nothing"
        raise UsageError(f"{path} is no lock: {what}; write it with keras-repro upgrade --apply")
    added = re.search(rf"^{ADDED}(.*)$", text, re.MULTILINE)
    names = tuple(added[1].split(", ")) if added else ()
    from keras_repro.packages import resolve  # noqa: PLC0415 - few projects have a lock

    return resolve.with_lock(backend.model_copy(update={"added": names}), text)
