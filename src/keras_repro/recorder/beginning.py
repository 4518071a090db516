"""Begin the process that runs the script: its task, its environment, and who it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict, List

from keras_repro.recorder import contract, portable, seeding, working_copy
from keras_repro.recorder.become import becoming
from keras_repro.recorder.hermetic.environment import environment as surrounding
from keras_repro.recorder.request import Request
from keras_repro.recorder.surroundings import FIGURES_VARIABLE

LAUNCH = contract.launch("execute")


def begin(
    request: Request, place: working_copy.Work, passed: List[int], task: Dict[str, Any]
) -> subprocess.Popen[bytes]:
    """Begin a new process with a task.

    ``passed`` are its end of the control pipe and, where it is another user's, the open folder that
    it writes to.
    """
    task = dict(task, control=passed[0])
    if len(passed) > 1:
        task["staging"] = "/proc/self/fd/%d" % passed[1]
    environment = environment_of(request, place)
    environment[FIGURES_VARIABLE] = os.path.join(task["staging"], contract.FIGURES)
    emulator = [] if request.processor is None else request.processor.command
    return subprocess.Popen(
        [*emulator, sys.executable, "-c", LAUNCH, json.dumps(task)],
        cwd=place.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=passed,
        start_new_session=True,
        preexec_fn=becoming(request.run_as, bool(emulator)),  # noqa: PLW1509 - no thread yet
    )


def environment_of(request: Request, place: working_copy.Work) -> Dict[str, str]:
    """Return the variables of the script's process, but for where its figures go."""
    conditions = request.conditions
    environment = portable.environment(os.environ, conditions.environment, request.portable)
    own = (conditions.seed, conditions.threads, environment, conditions.hash_seed)
    environment.update(seeding.environment(*own))
    environment.update(HOME=place.home, KERAS_HOME=os.path.join(place.home, ".keras"))
    environment.update(surrounding(conditions.hermetic, conditions.surroundings, environment))
    environment["MPLBACKEND"] = "module://keras_repro.recorder.figures"
    return environment


def task_of(request: Request, staging: str, tells_imports: bool = False) -> Dict[str, Any]:
    """Return the fields of a Task, but for its control pipe."""
    conditions = request.conditions
    return {
        "control": -1,
        "staging": staging,
        "seed": conditions.seed,
        "threads": conditions.threads,
        "ulps": conditions.ulps,
        "planted": conditions.planted,
        "vary_own_seeds": conditions.vary_own_seeds,
        "script": request.script,
        "module": request.module,
        "args": request.args,
        "parity": request.parity,
        "data_statistics": not conditions.no_data_statistics,
        "array_limit": conditions.array_limit,
        "arrays_limit": conditions.arrays_limit,
        "protected": _protected(request),
        "hermetic": conditions.hermetic,
        "surroundings": conditions.surroundings,
        "emulated": request.processor is not None,
        "tells_imports": tells_imports,
    }


def _protected(request: Request) -> List[str]:
    """Return the folders, the user's and ours, that the script could write; none in a container."""
    if os.environ.get("KERAS_REPRO_ENGINE") == "docker":
        return []
    conditions = request.conditions
    folders = [os.getcwd()] + [os.path.abspath(folder) for _, folder in conditions.data]
    own = (conditions.datasets, os.environ.get("KERAS_REPRO_CLASS_CACHE"))
    return folders + [os.path.abspath(folder) for folder in own if folder]
