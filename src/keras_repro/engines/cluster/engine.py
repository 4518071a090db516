"""The engine that has its runs made by the workers of a Dask cluster."""

import hashlib
import json
import threading
import uuid
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from keras_repro.backends import Backend
from keras_repro.engines import Availability, Ended, EngineUnavailableError, Job, Say
from keras_repro.engines.cluster import work
from keras_repro.engines.cluster.address import NAME, Address
from keras_repro.engines.cluster.bundle import MOST_SENT, pack
from keras_repro.engines.cluster.received import publish
from keras_repro.engines.cluster.request import Request, encoded, request_of, sources
from keras_repro.errors import (
    BY_CODE,
    RunFailedError,
    StoppedError,
    UnavailableError,
    UnreadableError,
)
from keras_repro.packages.resolve import DoesNotInstallError
from keras_repro.project.workload import NO_INPUT
from keras_repro.recorder.contract import Conditions

CONNECT_SECONDS = 10
INSTALL = "pip install 'keras-repro[dask]', here and on each worker"
START = "start one: dask scheduler, and dask worker ADDRESS --nthreads 1"
TRIES = 3  # of a run whose worker dies under it
MOST_TRIES = 5  # of so many, where the workers die for other reasons
# A worker that says nothing for so long counts as dead; Dask waits for five minutes.
SILENT = "60 s"
# Beyond its own limit: for an environment that is not built yet.
BUILD_SECONDS = 3600.0
DAY = 86_400.0
MOST_STATUS = 255
NOWHERE = Path("/nowhere")  # where a script runs that reads no file: nothing is sent


class _WorkersDiedError(UnavailableError):
    """Workers died on which a task ran, or was to run."""


class DaskEngine:
    """Has runs made by workers. Dask schedules, and tries again where a worker dies.

    ``name`` is that of the engine which the workers use: what is recorded and what is kept are the
    same wherever a run was made.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Any = None
        self._cluster: Any = None
        self._id = uuid.uuid4().hex  # whose runs the workers end, where this client stops
        self._bundles: dict[tuple[Path, frozenset[str]], Any] = {}
        self._lock = threading.Lock()
        self._stopped = False
        self.name = "local"
        self.title = "a Dask cluster"

    def __enter__(self) -> Self:
        """Return the engine, connected."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End what runs, and leave the cluster; workers that were started here end."""
        self.stop()
        for one in (self._client, self._cluster):
            if one is not None:
                with suppress(Exception):  # it may be gone already
                    one.close()
        self._client = self._cluster = None

    def problem(self) -> EngineUnavailableError | None:
        """Connect; return why that cannot be, or None."""
        try:  # it takes its time, and has no types
            dask, distributed = import_module("dask"), import_module("distributed")
        except ImportError:
            return EngineUnavailableError("dask.distributed is not installed", INSTALL)
        settings = {
            "distributed.scheduler.allowed-failures": TRIES - 1,
            "distributed.scheduler.worker-ttl": SILENT,
            "distributed.admin.log-length": 100,
            "distributed.logging": {"distributed": "critical", "tornado": "critical"},
        }
        dask.config.set(settings)
        try:
            if self._address.scheduler is None:
                self._cluster = distributed.LocalCluster(
                    n_workers=self._address.workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                )
            where = self._cluster or self._address.scheduler
            self._client = distributed.Client(where, timeout=CONNECT_SECONDS)
            found = self._client.run(work.usable_engines)
        except (OSError, TimeoutError, ValueError) as error:
            why = str(error).splitlines()[0] if str(error) else "no answer"
            return EngineUnavailableError(
                f"no Dask cluster at {self._address.scheduler or 'this machine'}: {why}",
                START,
            )
        return self._use(found)

    def _use(self, found: dict[str, dict[str, str]]) -> EngineUnavailableError | None:
        """Choose the best engine that all workers can use: {worker: {name: title}}."""
        first, *others = found.values() or [{}]
        common = [name for name in first if all(name in other for other in others)]
        if not common:
            what = "workers that have no engine in common" if found else "no worker"
            return EngineUnavailableError(f"the cluster has {what}", START)
        self.name = common[0]
        where = self._address.scheduler or "this machine"
        count = f"{len(found)} worker{'' if len(found) == 1 else 's'}"
        self.title = f"{NAME}, {count} at {where}, each with {first[self.name]}"
        return None

    @property
    def slots(self) -> int:
        """How many runs the workers make at the same time."""
        workers = self._connected.scheduler_info(n_workers=-1)["workers"]
        return max(1, sum(int(worker["nthreads"]) for worker in workers.values()))

    @property
    def _connected(self) -> Any:
        if self._client is None:
            raise UnavailableError("the Dask cluster was left")
        return self._client

    def availability(self, backend: Backend) -> Availability:  # noqa: ARG002 - of all alike
        """Return that the workers prepare what they need."""
        return Availability(True, "prepared by the workers")

    def environment_id(self, backend: Backend) -> None:
        """Return None: each worker has environments of its own."""

    def changed_since(self, backend: Backend, image: str | None) -> None:
        """Return None: the lock tells all that is known here of an environment."""

    def prepare(self, backend: Backend, say: Say) -> None:
        """Have one worker build the environment; the others do with their first run."""
        say("preparing, on a worker")
        request = Request(backend, self.name, "", "", False, None, (), Conditions(), None)
        key = f"prepare-{hashlib.sha256(encoded(request)).hexdigest()}"
        task = self._connected.submit(work.prepare, encoded(request), self._id, key=key)
        _raise(json.loads(self._result(task, BUILD_SECONDS)))

    def run(self, job: Job, say: Say) -> Ended:
        """Have a worker make a run; put its folder in its place here."""
        if self._stopped:
            raise StoppedError("interrupted")
        request = encoded(request_of(job, self.name))
        say("on a worker")
        limit = (job.workload.conditions.time_limit or DAY) + BUILD_SECONDS
        document = publish(self._made(request, self._bundles_of(job), limit), job.out)
        _raise(document)
        return Ended(int(document["status"]), str(document["complaint"]))

    def _made(self, request: bytes, bundles: list[Any], limit: float) -> bytes:
        """Return the answer to a request; try again where a run is given up for another's fault.

        Dask gives up every task that waited on workers which died, and not that alone which ran.
        """
        for _ in range(MOST_TRIES):
            key = f"run-{uuid.uuid4()}"
            task = self._connected.submit(work.work, request, bundles, self._id, key=key)
            try:
                return self._result(task, limit)
            except _WorkersDiedError:
                begun = self._connected.get_events(work.STARTED)
                if sum(started == key for _, started in begun) >= TRIES:
                    break
        raise RunFailedError(
            f"{TRIES} workers died, one after the other, while they made this run; does the "
            "script use more memory than they have?"
        )

    def _bundles_of(self, job: Job) -> list[Any]:
        """Return the script's folder and its data as workers have them; see work.work."""
        folder = NOWHERE if job.workload.is_builtin else job.workload.folder
        data = sources(job.workload.conditions)
        return [self._bundle(folder, NO_INPUT), *(self._bundle(one, frozenset()) for one in data)]

    def _bundle(self, path: Path, left_out: frozenset[str]) -> Any:
        """Return what lies somewhere as a worker has it; it is packed and sent once a command."""
        with self._lock:
            if (path, left_out) not in self._bundles:
                content = pack(path, MOST_SENT, left_out)
                key = f"bundle-{hashlib.sha256(content).hexdigest()}"
                # A task, done again where its worker dies; what is scattered would be lost then.
                self._bundles[path, left_out] = self._connected.submit(
                    work.bundle, content, key=key
                )
            return self._bundles[path, left_out]

    def _result(self, task: Any, limit: float) -> bytes:
        distributed, client = import_module("distributed"), import_module("distributed.client")
        try:
            content = task.result(timeout=limit)
        except distributed.KilledWorker:
            raise _WorkersDiedError(f"{TRIES} workers died, one after the other") from None
        except TimeoutError:
            raise RunFailedError(f"no worker ended it within {limit:.0f} s") from None
        except (distributed.CancelledError, client.FutureCancelledError):
            if self._stopped:
                raise StoppedError("interrupted") from None
            raise UnavailableError("the Dask cluster went away; start it again") from None
        finally:
            task.release()
        if not isinstance(content, bytes):
            raise UnreadableError("a worker sent what is no answer")
        return content

    def abandon(self, job: Job, reason: str) -> None:
        """Return None: the worker has done it where there was anything left."""

    def kept(self) -> tuple[int, int]:
        """Return that nothing is kept here."""
        return 0, 0

    def prune(self) -> None:
        """Remove nothing: each worker's environments are its own machine's."""

    def stop(self) -> None:
        """End every run of ours, at once."""
        self._stopped = True
        if self._client is not None:
            with suppress(Exception):  # the cluster may be gone
                self._client.run(work.end, self._id, on_error="ignore")


def _raise(document: dict[str, Any]) -> None:
    """Raise what a worker says was wrong, as it would have been here."""
    if "does_not_install" in document:
        raise DoesNotInstallError(str(document["does_not_install"]))
    if "error" in document:
        known = {int(code): error for code, error in BY_CODE.items()}
        raise known.get(document["error"], UnavailableError)(str(document["message"]))
    status = document.get("status")
    if not isinstance(status, int) or abs(status) > MOST_STATUS:
        raise UnreadableError("a worker sent what is no answer")
