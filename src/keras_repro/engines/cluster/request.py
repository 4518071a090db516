"""A run to make, and how it ended, as JSON: plain values alone cross the wire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_repro.backends import Backend
from keras_repro.engines import Job
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.project.conditions import Data
from keras_repro.project.workload import BUILTIN, Workload
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS, Conditions

# What names folders of this machine, or was resolved before a run is made.
OF_THIS_MACHINE = ("requirements", "data", "datasets")


@dataclass(frozen=True)
class Request:
    """What a worker is to run, as it finds it; ``engine`` is by which of its engines.

    ``data`` are the places at which data are seen, each with the number of what is sent beside the
    script's folder, and the name of the file in it where it is one; ``datasets`` is such a number.
    """

    backend: Backend
    engine: str
    name: str
    script: str
    is_builtin: bool
    module: str | None
    args: tuple[str, ...]
    conditions: Conditions
    parity: str | None
    data: tuple[tuple[str, int, str], ...] = ()
    datasets: int | None = None

    def workload(self, folder: Path, sent: Sequence[Path] = ()) -> Workload:
        """Return the workload, in a folder of the worker's; ``sent``: where its data lie there."""
        script = BUILTIN / self.script if self.is_builtin else Path(self.script)
        conditions = self.conditions.having(
            data=tuple(Data(place, sent[number] / name) for place, number, name in self.data),
            datasets=None if self.datasets is None else sent[self.datasets],
        )
        return Workload(self.name, folder, script, self.module, self.args, conditions=conditions)


def sources(conditions: Conditions) -> list[Path]:
    """Return the folders and files of this machine that are the data, each once."""
    found = [data.source for data in conditions.data]
    found += [] if conditions.datasets is None else [conditions.datasets]
    return list(dict.fromkeys(found))


def request_of(job: Job, engine: str) -> Request:
    """Return a job as a worker can make it.

    Raises:
        UsageError: it needs a run of this machine.
    """
    of = job.workload
    at = {source: number for number, source in enumerate(sources(of.conditions))}
    data = [
        (one.place, at[one.source], "" if one.source.is_dir() else one.source.name)
        for one in of.conditions.data
    ]
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
        of.conditions.having(requirements=(), data=(), datasets=None),
        None if job.parity is None else str(job.parity),
        tuple(data),
        None if of.conditions.datasets is None else at[of.conditions.datasets],
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
        "data": tuple((place, number, name) for place, number, name in document["data"]),
        "conditions": Conditions(**given),
    }
    return Request(**document | plain)
