"""The Docker engine that trials use, which is not theirs: what they ask of it, and clear away."""

import os
import subprocess
import sys
from pathlib import Path

from keras_repro import backends
from keras_repro.engines.docker import DockerEngine
from keras_repro.engines.docker_client import endpoint

DEMANDED = "KERAS_REPRO_DEMAND_DOCKER"
USUAL = "unix:///var/run/docker.sock"
PASSED = ("DOCKER_HOST", "DOCKER_CONTEXT", "SSL_CERT_FILE")


def why_not() -> str:
    """Return why no trial can have Docker, or ""."""
    problem = DockerEngine().problem()
    return "" if problem is None else problem.reason


def prepare(names: set[str]) -> None:
    """Build those backends' images that are missing or out of date: no trial is to wait for it."""
    with DockerEngine() as engine:
        for backend in backends.select(tuple(sorted(names))):
            if engine.environment_id(backend) is None:
                print(f"building the image of {backend.name}", file=sys.stderr, flush=True)
                engine.prepare(backend, lambda phase: None)


def variables() -> dict[str, str]:
    """Return what leads a command to the engine, from any home."""
    home = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
    given = {name: os.environ[name] for name in PASSED if name in os.environ}
    return {**given, "DOCKER_CONFIG": home}


def socket_path() -> Path | None:
    """Return the engine's socket; None where it answers elsewhere."""
    place = endpoint() or os.environ.get("DOCKER_HOST") or USUAL
    scheme, _, path = place.partition("://")
    return Path(path) if scheme == "unix" else None


def containers_of(project: Path) -> list[str]:
    """Return the containers, also those that have ended, in which a project's artifacts are."""
    asked = ("ps", "--all", "--format", "{{.Names}} ({{.Status}})")
    said = _docker(*asked, "--filter", f"volume={project / 'artifacts'}")
    return said.splitlines()


def remove_containers(project: Path) -> None:
    for line in containers_of(project):
        _docker("rm", "--force", line.partition(" ")[0])


def remove_image(name: str) -> None:
    _docker("image", "rm", "--force", name)


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout
