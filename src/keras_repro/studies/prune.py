"""What searches and previews keep for the next one, and its removal."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from keras_repro.engines import Engine
from keras_repro.errors import CannotWriteError
from keras_repro.packages import resolve
from keras_repro.studies import trial
from keras_repro.studies.in_use import unused


@dataclass(frozen=True)
class Kept:
    """How much there is: environments, runs, and the bytes that they take of the disk."""

    environments: int
    runs: int
    bytes: int


def kept(engines: list[Engine]) -> Kept:
    """Return what is kept by these engines."""
    counts = [engine.kept() for engine in engines]
    runs = list(trial.folder().glob("*"))
    return Kept(
        sum(count for count, _ in counts),
        len(runs),
        sum(size for _, size in counts) + _bytes(trial.folder()),
    )


def prune(engines: list[Engine], on_wait: Callable[[], None] = lambda: None) -> Kept:
    """Remove it, and return how much it was; ``on_wait``: before waiting for what works with it.

    Raises:
        CannotWriteError: something cannot be removed; all else is.
    """
    cache = user_cache_path("keras-repro")
    left: list[OSError] = []

    def keep(_function: object, path: str, error: Any) -> None:
        if not isinstance(error[1], FileNotFoundError):  # another one was faster
            left.append(OSError(error[1].errno, error[1].strerror, path))

    try:
        with unused(on_wait):
            before = kept(engines)
            for engine in engines:
                engine.prune()
            for folder in (trial.folder(), cache / resolve.KEPT):
                shutil.rmtree(folder, onerror=keep)
    except OSError as error:
        left.append(error)
    if left:
        raise CannotWriteError(
            f"cannot remove {left[0].filename or cache}: {left[0].strerror or left[0]}; mend its "
            "permissions, or remove it by hand"
        )
    return before


def _bytes(folder: Path) -> int:
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*") if not path.is_dir())
