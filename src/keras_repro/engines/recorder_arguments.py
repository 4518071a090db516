"""How every engine calls the recorder."""

from keras_repro.engines import Job


def options(
    job: Job, data: list[tuple[str, str]], datasets: str | None, parity: str | None
) -> list[str]:
    """Return the recorder's options for a job, but where to write, and the script.

    ``data``, ``datasets`` and ``parity``'s file are as the script's process is to find them.
    """
    workload = job.workload
    arguments = ["--backend", job.backend.name, "--keras-backend", job.backend.keras_backend]
    arguments += ["--seed", str(workload.seed), "--threads", str(workload.threads)]
    arguments += ["--files-limit", str(workload.files_limit)]
    if workload.time_limit is not None:
        arguments += ["--time-limit", str(workload.time_limit)]
    if workload.memory_limit is not None:
        arguments += ["--memory-limit", str(workload.memory_limit)]
    for name, value in workload.environment.items():
        arguments += ["--variable", f"{name}={value}"]
    for place, folder in data:
        arguments += ["--data", place, folder]
    if datasets is not None:
        arguments += ["--datasets", datasets]
    if parity is not None:
        arguments += ["--parity", parity]
    return arguments


def script(job: Job, file: str) -> list[str]:
    """Return the last of the recorder's arguments: what to run, and the script's own arguments."""
    if job.workload.module is not None:
        return ["--module", job.workload.module, "--", *job.workload.args]
    return ["--", file, *job.workload.args]
