"""What a container is given: its command, its mounts and its limits."""

import os
from pathlib import Path

from keras_repro.engines import Job, left_containers, recorder_arguments
from keras_repro.engines.images import platform
from keras_repro.errors import UsageError
from keras_repro.numbers.cores import cores
from keras_repro.recorder.contract import Conditions, most_processes

ARTIFACTS = "/artifacts"
SCRIPTS = "/opt/keras-repro/keras_repro/workloads"
MOUNTS = "/opt/keras-repro/data"  # where no data of the user's can be
PARITY_FILE = f"{MOUNTS}/parity.npz"
# What the recorder itself and the files that a script writes (in memory) take, above its limit.
SPARE_MEMORY, SPARE_PROCESSES = 512 << 20, 128
MEMORY_OF_IMPORTS = 1 << 30  # what a process holds that imports for those that it forks
MEMORY_SHARE = 0.95  # of the machine's, where nobody gives a limit


def command(job: Job, name: str, more: list[str]) -> list[str]:
    """Return the words after ``docker compose`` that run a job; ``more`` are the recorder's.

    Raises:
        UsageError: Docker cannot mount a folder of this name.
    """
    workload = job.workload
    for path in (workload.folder, job.artifacts):
        if ":" in str(path):
            raise UsageError(f"{path} has a colon in it, and Docker cannot mount it; rename it")
    volumes, conditions = mounts(job)
    parity = job.parity
    if isinstance(parity, Path):
        volumes += ["--volume", f"{parity}:{PARITY_FILE}:ro"]
        parity = PARITY_FILE
    words = ["run", "--rm", "-T", "--name", name, "--label", left_containers.label()]
    words += [*volumes, job.backend.name]
    # After the entry point's own --artifacts: this one holds.
    words += ["--out", out(job), *more]
    words += recorder_arguments.options(job, conditions, parity)
    return words + recorder_arguments.script(job, script_in_container(job))


def out(job: Job) -> str:
    """Return where the run folder lies in the container."""
    return f"{ARTIFACTS}/{job.workload.name}/{job.folder}"


def variables(job: Job, image: str, memory_there: int, serves: bool) -> dict[str, str]:
    """Return the variables that docker-compose.yml asks for; memory in bytes.

    ``serves``: for a recorder that makes several runs.

    Raises:
        UsageError: the caller's KERAS_REPRO_MEMORY is no number.
    """
    return {
        "SEED": str(job.workload.conditions.seed),
        "KERAS_REPRO_ARTIFACTS": str(job.artifacts),
        "KERAS_REPRO_WORK": str(job.workload.folder),
        # By its id, which is recorded: a name may be another checkout's by now.
        "KERAS_REPRO_IMAGE": image,
        "KERAS_REPRO_PLATFORM": platform(job.backend),
        "KERAS_REPRO_HIDDEN": hidden(job),
        **_limits(job.workload.conditions, memory_there, MEMORY_OF_IMPORTS if serves else 0),
    }


def _limits(conditions: Conditions, memory_there: int, more: int) -> dict[str, str]:
    """Return the limits of the service, a little above those that the recorder keeps."""
    memory = os.environ.get("KERAS_REPRO_MEMORY", "")
    if conditions.memory_limit is not None:
        memory = str(conditions.memory_limit + SPARE_MEMORY + more)
    elif not memory:
        memory = str(int(memory_there * MEMORY_SHARE))
    if not memory.isdecimal():
        raise UsageError(f"KERAS_REPRO_MEMORY={memory}: it is a number of bytes; mend it")
    processes = conditions.processes_limit or most_processes(cores())
    return {
        "KERAS_REPRO_MEMORY": memory,
        "KERAS_REPRO_PROCESSES": str(processes + SPARE_PROCESSES),
    }


def mounts(job: Job) -> tuple[list[str], Conditions]:
    """Return Compose's options that mount the data, and the conditions as the recorder finds them.

    Data of an absolute path is seen at that path; other data under a name of its own, to which
    the recorder links its place.
    """
    conditions = job.workload.conditions
    volumes: list[str] = []
    data: list[tuple[str, str]] = []
    for number, shown in enumerate(conditions.data):
        target = shown.place if shown.place.startswith("/") else f"{MOUNTS}/{number}"
        volumes += ["--volume", f"{shown.source}:{target}:ro"]
        if target != shown.place:
            data.append((shown.place, target))
    datasets = None
    if conditions.datasets is not None:
        datasets = f"{MOUNTS}/datasets"
        volumes += ["--volume", f"{conditions.datasets}:{datasets}:ro"]
    return volumes, conditions.having(data=tuple(data), datasets=datasets)


def hidden(job: Job) -> str:
    """Return where the script would see the runs of its project: nothing is to be seen there."""
    artifacts, folder = job.artifacts.resolve(), job.workload.folder.resolve()
    if artifacts != folder and artifacts.is_relative_to(folder):
        return f"/work/{artifacts.relative_to(folder)}"
    return "/tmp/.hidden"  # noqa: S108 - in a container


def script_in_container(job: Job) -> str:
    """Return where the script lies in the container, relative to the working folder or absolute."""
    if job.workload.is_builtin:
        return f"{SCRIPTS}/{job.workload.script_path.name}"
    return str(job.workload.script)
