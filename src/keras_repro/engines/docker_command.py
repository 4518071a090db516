"""Docker's own command, started as this project starts it."""

import os
import subprocess
import uuid

from keras_repro.backends import Backend


def container_name(backend: Backend) -> str:
    """Return a new name for a container of a backend's."""
    return f"keras-repro-{backend.name}-{uuid.uuid4().hex[:12]}"


def docker(
    *arguments: str, environment: dict[str, str] | None = None, serves: bool = False
) -> "subprocess.Popen[bytes]":
    """Start Docker's command; one that ``serves`` is told of runs, and says apart how they end."""
    # A session of its own: Ctrl-C comes to us alone, and stop() ends the container.
    return subprocess.Popen(
        ["docker", *arguments],
        stdin=subprocess.PIPE if serves else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if serves else subprocess.STDOUT,
        env={**(environment or os.environ), "DOCKER_BUILDKIT": "1"},
        start_new_session=True,
    )
