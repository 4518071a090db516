"""Put the run folder that a worker gave back in its place: whole, or not at all."""

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from keras_repro.engines.cluster.bundle import member, unpack
from keras_repro.engines.cluster.work import ENDED, RUN
from keras_repro.errors import KerasReproError, UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.documents import MAX_FACTS_BYTES, document_of
from keras_repro.runs.locks import locked_folder
from keras_repro.runs.replace_folder import PARTIAL, replace_folder
from keras_repro.runs.run import RunFacts, read_run

MOST_ENDED = 1 << 20  # bytes


def publish(content: bytes, out: Path) -> dict[str, Any]:
    """Put a worker's run in the place of ``out``; return how it ended.

    As the recorder does: a failed run takes no good one's place, but lies beside it, and goes with
    the next good one.

    Raises:
        UnreadableError: the answer is damaged, or names what lies elsewhere.
        CannotWriteError: it cannot be written; what was there stands as it was.
    """
    document = _ended(content)
    facts = member(content, f"{RUN}/{contract.FACTS}", MAX_FACTS_BYTES)
    if facts is None:
        return document
    completed = document_of(facts, Path(contract.FACTS), RunFacts, "make the run again").completed
    failed = Path(contract.failed_folder(str(out)))
    with locked_folder(out, lambda: None):
        target = out if completed or not _is_good(out) else failed
        replace_folder(target, "run", contract.OWN_ENTRIES, lambda new: _fill(content, new))
        if completed and failed.is_dir():
            _remove(failed, out)
    return document


def _fill(content: bytes, staging: Path) -> None:
    unpack(content, staging, RUN)
    for path in staging.iterdir():
        if path.name not in contract.OWN_ENTRIES:
            raise UnreadableError(f"what was sent is no part of a run: {path.name!r}")


def _remove(failed: Path, out: Path) -> None:
    """Remove a failed run: in one step it is no run any more. Training says where it stays."""
    with suppress(OSError):
        place = Path(tempfile.mkdtemp(PARTIAL, f".{out.name}.", out.parent))
        failed.rename(place / failed.name)
        shutil.rmtree(place)


def _is_good(out: Path) -> bool:
    with suppress(KerasReproError):
        return read_run(out).facts.completed
    return False


def _ended(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(member(content, ENDED, MOST_ENDED) or b"")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnreadableError("a worker sent what is no answer")
    return document
