"""What a run replaced, where the recorder could not remove it."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from keras_repro.errors import KerasReproError
from keras_repro.recorder import contract
from keras_repro.runs.regular_file import open_regular
from keras_repro.runs.run import Run, read_run


def left_beside(out: Path, good: Run | None) -> list[Path]:
    """Return where what a run replaced lies until the next run, where it could not be removed.

    The run was just made for ``out``; ``good`` is it, None where it failed. The recorder says so
    too, but where a script may print the same: here it is looked at. Nothing is returned where
    another training writes there by now, which begins with removing that, nor where it cannot be
    told whether one does.
    """
    with ExitStack() as held:
        try:
            lock = open_regular(out.with_name(f".{out.name}.lock"), os.O_NOFOLLOW)
            held.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            pass  # then nobody holds it
        except OSError:
            return []
        staging = Path(contract.staging_folder(str(out)))
        failed = Path(contract.failed_folder(str(out)))
        left = [staging] if os.path.lexists(staging) else []
        if good is not None and os.path.lexists(failed) and _is_older(failed, good):
            left.append(failed)
        return left


def _is_older(failed: Path, run: Run) -> bool:
    """Return whether a failed run is none that was made after ``run``, by another training."""
    try:
        return read_run(failed).facts.started <= run.facts.started
    except KerasReproError:
        return True
