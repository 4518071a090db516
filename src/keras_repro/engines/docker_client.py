"""Connect to the Docker engine that the docker command talks to."""

import os

import docker
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import DockerException


def connect(timeout: int) -> docker.DockerClient:
    """Return a client, which has asked nothing yet; it is the caller's to close.

    ``timeout`` is in seconds.

    Raises:
        DockerException: there is no Docker engine.
    """
    place = endpoint()
    if place is None:
        return docker.from_env(timeout=timeout)
    return docker.DockerClient(base_url=place, timeout=timeout)


def endpoint() -> str | None:
    """Return where the docker command's context says that Docker is, None where none says so.

    Docker Desktop for macOS has its socket in the user's home, and a context that names it. The
    client itself knows DOCKER_HOST, which goes before any context, and the usual socket:
    https://docs.docker.com/engine/manage-resources/contexts/.
    """
    if os.environ.get("DOCKER_HOST"):
        return None
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    if name == "default":
        return None
    try:
        context = ContextAPI.get_context(name)
    except (DockerException, ValueError, OSError):  # the docker command complains of it too
        return None
    return None if context is None else str(context.Host)
