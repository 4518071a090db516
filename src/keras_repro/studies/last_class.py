"""Which numeric class a backend had when it last ran: known without running anything."""

from contextlib import suppress
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import KerasReproError
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.run import NumericClass, RunFacts, read_run


def last_class(artifacts: Path, backend: Backend) -> NumericClass | None:
    """Return the class of the newest run of a backend with its present lock, of any workload.

    None where there is no such run, or where its class is not known. Whose runs lie in the folder
    is not asked: of runs that came from elsewhere it is that machine's.
    """
    lock, newest = file_sha256(backend.requirements), None
    for folder in sorted(artifacts.glob(f"*/{backend.name}")):
        facts = _facts(folder)
        if facts is None or facts.requirements_sha256 != lock or facts.numeric_class is None:
            continue
        if newest is None or facts.started > newest.started:
            newest = facts
    found = None if newest is None else newest.numeric_class
    return found if found is not None and found.digest else None


def _facts(folder: Path) -> RunFacts | None:
    with suppress(KerasReproError, OSError):
        facts = read_run(folder).facts
        return facts if facts.completed else None
    return None
