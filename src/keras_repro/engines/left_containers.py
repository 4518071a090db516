"""Containers that nobody waits for: their command was killed, or Docker went away from it."""

import os
import socket
from contextlib import suppress

from docker import DockerClient
from docker.errors import DockerException

LABEL = "io.keras-repro.command"
ENDED = ("created", "exited", "dead")  # one that runs ends by itself, and its run is kept


def label() -> str:
    """Return what a container of this process is labelled with."""
    return f"{LABEL}={os.getpid()}@{socket.gethostname()}"


def remove_left(client: DockerClient) -> None:
    """Remove the containers that do not run, of commands of this machine that have ended."""
    with suppress(DockerException, OSError):
        filters: dict[str, str | list[str] | bool] = {"label": LABEL, "status": list(ENDED)}
        for one in client.containers.list(all=True, filters=filters, ignore_removed=True):
            if _is_of_none(one.labels[LABEL]):
                with suppress(DockerException):  # another command removes it just now
                    one.remove(force=True)


def _is_of_none(command: str) -> bool:
    process, _, machine = command.partition("@")
    if machine != socket.gethostname() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
