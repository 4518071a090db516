"""What the recorder is asked for, and what a run's facts say of it before anything ran."""

from __future__ import annotations

import datetime
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from keras_repro.recorder import contract, debian, facts, seeding
from keras_repro.recorder.contract import Conditions
from keras_repro.recorder.emulated import Processor
from keras_repro.recorder.portable import Setting


class Request(NamedTuple):
    """What to run, and under which conditions.

    ``script`` is relative to the present folder, or absolute; ``module`` is its name where it is
    to be run as ``python -m`` does. ``run_as`` is a user and a group, by number; ``processor`` the
    one to emulate, None where it is this machine's.
    """

    script: str
    module: Optional[str]
    args: List[str]
    out: str
    backend: Optional[str]
    keras_backend: Optional[str]
    conditions: Conditions
    parity: Optional[str]
    run_as: Optional[Tuple[int, int]]
    portable: Sequence[Setting] = ()  # what the condition of that name stands for
    processor: Optional[Processor] = None


def facts_asked(request: Request) -> Dict[str, Any]:
    """Return the facts of a run that its request tells."""
    known: Dict[str, Any] = {
        "schema_version": contract.SCHEMA_VERSION,
        "script": os.path.basename(request.script),
        "module": request.module,
        "script_args": request.args,
        "script_sha256": facts.file_sha256(request.script),
        "recorder_sha256": contract.recorder_sha256(),
        "backend": request.backend,
        "requirements_sha256": facts.file_sha256(os.environ.get("KERAS_REPRO_REQUIREMENTS", "")),
        "extra_requirements_sha256": facts.file_sha256(
            os.environ.get("KERAS_REPRO_EXTRA_REQUIREMENTS", "")
        ),
        "engine": os.environ.get("KERAS_REPRO_ENGINE"),
        "image": os.environ.get("KERAS_REPRO_IMAGE") or None,
        "base_image": os.environ.get("KERAS_REPRO_BASE_IMAGE") or None,
        "base_digest": os.environ.get("KERAS_REPRO_BASE_DIGEST") or None,
    }
    known.update(request.conditions.facts())
    return known


def facts_before(request: Request, started: datetime.datetime) -> Dict[str, Any]:
    """Return the facts of a run that are known before its script runs."""
    conditions = request.conditions
    known = dict(facts_asked(request), started=started.isoformat(timespec="seconds"))
    own = (conditions.seed, conditions.threads, None, conditions.hash_seed)
    variables = dict(os.environ, **seeding.environment(*own))
    known["environment"] = {
        name: variables[name] for name in contract.RECORDED_VARIABLES if name in variables
    }
    known["environment"].update(contract.without_secrets(conditions.environment))
    known.update(facts.environment_facts())
    if request.processor is not None:
        known["cpu"].update(request.processor.facts())
    in_image = known["engine"] == "docker"  # elsewhere they are the machine's
    asked = conditions.system_packages
    there = debian.installed_packages() if in_image or asked else {}
    known["debian_packages"] = there if in_image else debian.of_names(asked, there)
    if asked and not there:
        known["not_recorded"] = {"which system packages there are": "there is no dpkg here to ask"}
    return known
