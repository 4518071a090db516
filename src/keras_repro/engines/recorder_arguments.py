"""How every engine calls the recorder."""

from keras_repro.backends import kernels
from keras_repro.engines import Job
from keras_repro.recorder.contract import Conditions, launch

LAUNCH = launch("__main__")


def options(job: Job, conditions: Conditions, parity: str | None) -> list[str]:
    """Return the recorder's options for a job, but where to write, and the script.

    The files of ``conditions`` and ``parity``'s are as the script's process is to find them.
    """
    arguments = ["--backend", job.backend.name, "--keras-backend", job.backend.keras_backend]
    arguments += conditions.arguments()
    if conditions.portable:
        arguments += ["--portable-settings", kernels.portable(job.backend.name)]
    if parity is not None:
        arguments += ["--parity", parity]
    return arguments


def script(job: Job, file: str) -> list[str]:
    """Return the last of the recorder's arguments: what to run, and the script's own arguments."""
    if job.workload.module is not None:
        return ["--module", job.workload.module, "--", *job.workload.args]
    return ["--", file, *job.workload.args]
