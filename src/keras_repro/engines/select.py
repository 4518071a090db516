"""Choose the engine: the one asked for, or Docker where it answers."""

from keras_repro.engines import Engine
from keras_repro.errors import UsageError

NAMES = ("auto", "docker", "local")


def select(name: str) -> tuple[Engine, str]:
    """Return the engine and one line that says which it is and why.

    Raises:
        UnavailableError: Docker was asked for and does not answer.
        UsageError: there is no engine of that name.
    """
    # Imported here: Docker's client takes longer than the commands that need no engine.
    from keras_repro.engines.docker import DockerEngine  # noqa: PLC0415
    from keras_repro.engines.local import LocalEngine  # noqa: PLC0415

    if name not in NAMES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(NAMES)}")
    if name == "local":
        return LocalEngine(), "engine: local environments"
    docker = DockerEngine()
    problem = docker.problem()
    if problem is None:
        return docker, "engine: docker"
    if name == "docker":
        raise problem
    return LocalEngine(), f"engine: local environments, because {problem.reason}"
