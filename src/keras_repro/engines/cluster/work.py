"""What a worker does: it prepares an environment, makes one run, and gives back the folder whole.

These functions are called by name; what they are given and give back is bytes. A problem is an
answer as any other, so that no exception of a run's crosses the wire.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from platformdirs import user_cache_path

from keras_repro.engines import Engine, Job, kinds
from keras_repro.engines.cluster.bundle import MOST_SENT, pack, unpack
from keras_repro.engines.cluster.request import decoded
from keras_repro.errors import KerasReproError, UnavailableError
from keras_repro.packages.resolve import DoesNotInstallError
from keras_repro.runs.locks import locked

ENDED = "ended.json"
RUN = "run"
STARTED = "keras-repro-started"  # the topic under which runs are told that begin
KILLED = (137, -9)
# The engines at work here, by whose run it is: another client's go on where one stops its own.
_running: dict[str, set[Engine]] = {}


def usable_engines() -> dict[str, str]:
    """Return {name: title} of the engines that a worker can use, the best first."""
    found = {}
    for name in kinds.ENGINES:
        with kinds.made(name) as engine:
            if engine.problem() is None:
                found[name] = engine.title
    return found


def prepare(request: bytes, client: str) -> bytes:
    """Build an environment where it is not built; return how that ended, as ENDED has it."""

    def build() -> dict[str, object]:
        asked = decoded(request)
        with _engine(asked.engine, client) as engine:
            engine.prepare(asked.backend, lambda phase: None)
        return {"status": 0, "complaint": ""}

    return json.dumps(_answered(build)).encode()


def bundle(content: bytes) -> bytes:
    """Return it: a worker that has a script's folder sends it on to the others."""
    return content


def work(request: bytes, sent: list[bytes], client: str) -> bytes:
    """Make a run of what lies in ``sent``; return its folder as an archive, with ENDED in it.

    The first is the script's folder, the others are its data.
    """
    worker = import_module("distributed").get_worker()
    worker.log_event(STARTED, worker.get_current_task())
    with tempfile.TemporaryDirectory(prefix="keras-repro-") as place:
        answer = Path(place, "answer")
        answer.mkdir()
        document = _answered(lambda: _run(request, sent, client, Path(place)))
        (answer / ENDED).write_text(json.dumps(document))
        return pack(answer)


def end(client: str) -> None:
    """End every run that a client has under way here."""
    for engine in list(_running.get(client, ())):
        engine.stop()


def _answered(do: Callable[[], dict[str, object]]) -> dict[str, object]:
    try:
        return do()
    except DoesNotInstallError as error:
        return {"does_not_install": str(error)}
    except KerasReproError as error:
        return {"error": int(error.exit_code), "message": str(error)}
    except OSError as error:
        problem = f"{error.filename or 'a file'}: {error.strerror or error}"
        return {"error": int(UnavailableError.exit_code), "message": f"on a worker: {problem}"}


def _run(request: bytes, sent: list[bytes], client: str, place: Path) -> dict[str, object]:
    asked = decoded(request)
    folder, *data = map(_folder, sent)
    job = Job(asked.backend, asked.workload(folder, data), place / "artifacts", "run", asked.parity)
    with _engine(asked.engine, client) as engine:
        engine.prepare(asked.backend, lambda phase: None)
        ended = engine.run(job, lambda phase: None)
        if ended.status in KILLED:
            engine.abandon(job, f"killed together with its recorder (exit status {ended.status})")
    if job.out.is_dir():
        shutil.move(job.out, place / "answer" / RUN)
    return {"status": ended.status, "complaint": ended.complaint}


@contextmanager
def _engine(name: str, client: str) -> Iterator[Engine]:
    engine = kinds.made(name)
    if (problem := engine.problem()) is not None:
        raise UnavailableError(f"a worker cannot use {name}: {problem}")
    _running.setdefault(client, set()).add(engine)
    try:
        with engine:
            yield engine
    finally:
        _running[client].discard(engine)


def sent_folders() -> Path:
    """Return where a worker keeps the folders of scripts that it was sent."""
    return user_cache_path("keras-repro") / "sent"


def _folder(sent: bytes) -> Path:
    """Return a folder with what was sent; it is unpacked once."""
    digest = hashlib.sha256(sent).hexdigest()
    folder = sent_folders() / digest
    with locked(folder.with_name(f".{digest}.lock"), lambda: None):
        if not folder.is_dir():
            partial = folder.with_name(f".{digest}.partial")
            with suppress(FileNotFoundError):
                shutil.rmtree(partial)
            unpack(sent, partial, most=MOST_SENT)
            for path in [partial, *partial.rglob("*")]:  # for the script's user, whoever that is
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
            partial.rename(folder)
    return folder
