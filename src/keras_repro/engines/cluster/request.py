"""A run to make, and how it ended, as JSON: plain values alone cross the wire."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_repro.backends import Backend
from keras_repro.engines import Job
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.project.workload import BUILTIN, Workload
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS, Conditions

# What names folders of this machine, or was resolved before a run is made.
OF_THIS_MACHINE = ("requirements", "data", "datasets")


@dataclass(frozen=True)
class Request:
    """What a worker is to run, as it finds it; ``engine`` is by which of its engines."""

    backend: Backend
    engine: str
    name: str
    script: str
    is_builtin: bool
    module: str | None
    args: tuple[str, ...]
    conditions: Conditions
    parity: str | None

    def workload(self, folder: Path) -> Workload:
        """Return the workload, in a folder of the worker's."""
        script = BUILTIN / self.script if self.is_builtin else Path(self.script)
        return Workload(
            self.name, folder, script, self.module, self.args, conditions=self.conditions
        )


def request_of(job: Job, engine: str) -> Request:
    """Return a job as a worker can make it.

    Raises:
        UsageError: it needs what lies on this machine, outside of the script's folder.
    """
    of = job.workload
    if of.conditions.data or of.conditions.datasets is not None:
        raise UsageError(
            "--engine dask takes a script's own folder to the workers, and no --data and no "
            "--datasets; put small data beside the script, or use --engine docker"
        )
    if job.parity not in (None, contract.PARITY_REFERENCE):
        raise UsageError("parity runs on this machine; leave out --engine dask")
    return Request(
        job.backend,
        engine,
        of.name,
        of.script_path.name if of.is_builtin else str(of.script),
        of.is_builtin,
        of.module,
        of.args,
        of.conditions.having(requirements=()),
        None if job.parity is None else str(job.parity),
    )


def encoded(request: Request) -> bytes:
    """Return a request as it crosses the wire."""
    values = {
        condition.name: getattr(request.conditions, condition.name)
        for condition in CONDITIONS
        if condition.name not in OF_THIS_MACHINE
    }
    document = vars(request) | {
        "recorder": contract.recorder_sha256(),
        "backend": request.backend.model_dump(mode="json"),
        "conditions": values,
    }
    return json.dumps(document, sort_keys=True).encode()


def decoded(content: bytes) -> Request:
    """Return a request.

    Raises:
        UnavailableError: it is another keras-repro's.
    """
    document: dict[str, Any] = json.loads(content)
    if document.pop("recorder") != contract.recorder_sha256():
        raise UnavailableError(
            "a worker has another version of keras-repro than this machine; install the same"
        )
    given = document["conditions"]
    tuples = [c.name for c in CONDITIONS if c.many is tuple and c.name in given]
    given |= {name: tuple(given[name]) for name in tuples}
    plain = {
        "backend": Backend.model_validate(document["backend"]),
        "args": tuple(document["args"]),
        "conditions": Conditions(**given),
    }
    return Request(**document | plain)
