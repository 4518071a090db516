"""What searches and previews keep for the next one, and its removal."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from keras_repro.engines import Engine
from keras_repro.errors import CannotWriteError
from keras_repro.packages import resolve
from keras_repro.studies import trial


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


def prune(engines: list[Engine]) -> Kept:
    """Remove it, and return how much it was.

    Raises:
        CannotWriteError: something cannot be removed; all else is.
    """
    before = kept(engines)
    for engine in engines:
        engine.prune()
    left: list[tuple[str, OSError]] = []

    def keep(_function: object, path: str, error: Any) -> None:
        if not isinstance(error[1], FileNotFoundError):  # another one was faster
            left.append((path, error[1]))

    for folder in (trial.folder(), user_cache_path("keras-repro") / resolve.KEPT):
        shutil.rmtree(folder, onerror=keep)
    if left:
        path, why = left[0]
        raise CannotWriteError(f"cannot remove {path}: {why.strerror or why}")
    return before


def _bytes(folder: Path) -> int:
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*") if not path.is_dir())
