"""What searches and previews keep for the next one, and its removal."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from keras_repro import backends
from keras_repro.engines import Engine
from keras_repro.engines.cluster.work import sent_folders
from keras_repro.engines.disk import states
from keras_repro.errors import CannotWriteError
from keras_repro.packages import resolve
from keras_repro.studies import trial
from keras_repro.studies.in_use import unused
from keras_repro.studies.train.plan import RUNS_ENDING

# Runs, failed ones, their locks, and what an interrupted one left; nothing else that lies there.
OF_RUNS = re.compile(r"\.?[0-9a-f]{16}(\.\w+)*")


@dataclass(frozen=True)
class Kept:
    """How much there is: environments, runs, and the bytes that they take of the disk."""

    environments: int
    runs: int
    bytes: int


def kept(engines: list[Engine], artifacts: Path | None = None) -> Kept:
    """Return what is kept by these engines, and beside the last runs in ``artifacts``."""
    counts = [engine.kept() for engine in engines]
    beside = list(_beside(artifacts))
    runs = [*_tried(), *(one for one in beside if not one.name.startswith("."))]
    return Kept(
        sum(count for count, _ in counts),
        len(runs),
        sum(size for _, size in counts)
        + sum(map(_bytes, (trial.folder(), sent_folders(), *beside))),
    )


def prune(
    engines: list[Engine],
    on_wait: Callable[[], None] = lambda: None,
    artifacts: Path | None = None,
) -> Kept:
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
            before = kept(engines, artifacts)
            for engine in engines:
                engine.prune()
            for folder in (trial.folder(), cache / resolve.KEPT, sent_folders()):
                shutil.rmtree(folder, onerror=keep)
            for path in list(_beside(artifacts)):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, onerror=keep)
                else:
                    path.unlink(missing_ok=True)
                with suppress(OSError):  # there is more in it
                    path.parent.rmdir()
    except OSError as error:
        left.append(error)
    if left:
        raise CannotWriteError(
            f"cannot remove {left[0].filename or cache}: {left[0].strerror or left[0]}; mend its "
            "permissions, or remove it by hand"
        )
    return before


def _tried() -> Iterator[Path]:
    """Yield the runs that were tried; where there is none, as it does not install, its folder."""
    for folder in trial.folder().glob("*"):
        every = [*folder.glob("*/*"), *folder.glob(f"*/*{RUNS_ENDING}/*")]
        yield from [
            path for path in every if path.name[0] != "." and path.suffix != RUNS_ENDING
        ] or [folder]


def _beside(artifacts: Path | None) -> Iterator[Path]:
    """Yield what variations have left beside the last runs of backends."""
    if artifacts is None:
        return
    for name in backends.load():
        for folder in artifacts.glob(f"*/{name}{RUNS_ENDING}"):
            if folder.is_dir() and not folder.is_symlink():
                yield from (path for path in folder.iterdir() if OF_RUNS.fullmatch(path.name))


def _bytes(folder: Path) -> int:
    return sum(512 * state.st_blocks for state in states(folder))
