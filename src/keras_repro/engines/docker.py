"""Run in containers, through Docker Compose: the same services a user runs by hand."""

import hashlib
import os
import signal
import subprocess
import threading
import time
import uuid
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from docker.errors import DockerException, ImageNotFound

import docker
from keras_repro import backends
from keras_repro.backends import Backend
from keras_repro.engines import Availability, Ended, Job, Say
from keras_repro.engines.output import complaint, follow
from keras_repro.errors import StoppedError, UnavailableError

PROJECT = Path(__file__).resolve().parents[3]
SOURCE_LABEL = "io.keras-repro.source"
STOP_SECONDS = 5
PING_SECONDS = 5


class DockerUnavailableError(UnavailableError):
    """No Docker engine answers, or it lacks Compose; ``reason`` says which in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; start Docker, or use --engine local")
        self.reason = reason


class DockerEngine:
    """Builds and runs the Compose services of this project."""

    name = "docker"

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._building: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()

    @cached_property
    def _client(self) -> docker.DockerClient:
        return docker.from_env(timeout=60)

    def problem(self) -> DockerUnavailableError | None:
        """Return why this engine cannot be used, or None."""
        if not (PROJECT / "docker-compose.yml").is_file():
            return DockerUnavailableError("this installation carries no docker-compose.yml")
        try:
            docker.from_env(timeout=PING_SECONDS).ping()
        except (DockerException, OSError):
            return DockerUnavailableError("no Docker engine answers")
        try:
            command = ["docker", "compose", "version"]
            compose = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            return DockerUnavailableError("there is no docker command on PATH")
        if compose.returncode != 0:
            return DockerUnavailableError("Docker has no Compose v2 plugin")
        return None

    def availability(self, backend: Backend) -> Availability:
        """Return whether the backend's image is built."""
        image = self._image(backend)
        if image is None:
            return Availability(False, "image not built", f"docker compose build {backend.name}")
        if image.labels.get(SOURCE_LABEL) != source_sha256(backend):
            remedy = f"keras-repro train --backend {backend.name} rebuilds it"
            return Availability(True, "image out of date", remedy)
        return Availability(True, f"image {image.short_id.removeprefix('sha256:')}")

    def environment_id(self, backend: Backend) -> str | None:
        """Return the image's id, None where it is not built from the present sources."""
        image = self._image(backend)
        if image is None or image.labels.get(SOURCE_LABEL) != source_sha256(backend):
            return None
        return str(image.id)

    def prepare(self, backend: Backend, say: Say) -> None:
        """Build the backend's image unless it was built from just these sources."""
        if self.environment_id(backend) is not None:
            return
        say("building the image")
        environment = {**os.environ, "KERAS_REPRO_SOURCE_SHA256": source_sha256(backend)}
        process = self._compose(["--progress", "plain", "build", backend.name], environment)
        self._building.add(process)
        tail = follow(process, lambda line: say(_build_step(line)))
        self._building.discard(process)
        status = process.wait()
        self._go_on()
        if status != 0:
            raise UnavailableError(
                f"the image of {backend.name} does not build: {_build_error(tail)}; "
                f"see it whole with: docker compose build {backend.name}"
            )

    def run(self, job: Job, say: Say) -> Ended:
        """Run the backend's service once, as ``docker compose run`` does."""
        self._go_on()
        service = job.backend.name
        name = f"keras-repro-{service}-{uuid.uuid4().hex[:12]}"
        folder, arguments = _script_in_container(job)
        environment = {
            **os.environ,
            "SEED": str(job.seed),
            "KERAS_REPRO_ARTIFACTS": str(job.artifacts),
            "KERAS_REPRO_WORK": str(folder),
            "KERAS_REPRO_IMAGE": self.environment_id(job.backend) or "",
        }
        say("starting the container")
        options = ["--threads", str(job.threads)]
        options += ["--", *arguments] if arguments else []
        process = self._compose(
            ["run", "--rm", "-T", "--name", name, service, *options], environment
        )
        self._running[name] = process
        try:
            tail = follow(process, lambda line: None)
            status = process.wait()
        finally:
            self._running.pop(name, None)
        if status != 0 and not self._stopped.is_set():
            self._check_it_was_the_recorder(service, status, tail)
        return Ended(status, complaint(tail))

    def stop(self) -> None:
        """End every build, ask every container to end, and remove what is left after that."""
        self._stopped.set()
        for process in list(self._building):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        asked: set[str] = set()
        until = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < until:
            for name in set(self._running) - asked:  # one may just be starting: ask it again
                with suppress(DockerException, OSError):
                    self._client.containers.get(name).kill(signal="SIGINT")
                    asked.add(name)
            time.sleep(0.1)
        for name, process in list(self._running.items()):
            with suppress(DockerException, OSError):
                self._client.containers.get(name).remove(force=True)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _go_on(self) -> None:
        """Raise StoppedError once stop() was called."""
        if self._stopped.is_set():
            raise StoppedError("interrupted")

    def _image(self, backend: Backend) -> Any:
        try:
            return self._client.images.get(f"keras-repro/{backend.name}")
        except ImageNotFound:
            return None
        except (DockerException, OSError) as error:
            raise UnavailableError(
                "the Docker engine stopped answering; start it and run the same command again"
            ) from error

    def _compose(
        self, arguments: list[str], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        command = ["docker", "compose", "--project-directory", str(PROJECT)]
        command += ["--file", str(PROJECT / "docker-compose.yml"), *arguments]
        # A session of its own: Ctrl-C comes to us alone, and stop() ends the container.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )

    def _check_it_was_the_recorder(self, service: str, status: int, tail: str) -> None:
        """Raise where Docker, and not the recorder, is the reason of a failure."""
        lines = [line for line in tail.strip().splitlines() if line.strip()]
        last = lines[-1].strip() if lines else ""
        if self.problem() is not None:
            raise UnavailableError(
                f"the Docker engine stopped answering while {service} was training; "
                "start it and run the same command again"
            )
        docker_failed = status in (125, 126, 127) or (
            status == 1 and "keras-repro:" not in tail and "daemon" in tail.lower()
        )
        if docker_failed:
            raise UnavailableError(f"Docker could not run {service}: {last}")


def source_sha256(backend: Backend) -> str:
    """Return the SHA-256 over every file that goes into the backend's image, and its settings."""
    package = backends.FOLDER.parent
    files = [
        PROJECT / "Dockerfile",
        package / "__init__.py",
        backends.UV_LOCK,
        backends.BUILD_CONSTRAINTS,
        *(backend.folder / name for name in ("requirements.txt", "keras.json", "backend.toml")),
        *sorted((PROJECT / "docker").iterdir()),
        *sorted((package / "recorder").glob("*.py")),
        *sorted((package / "workloads").glob("*.py")),
    ]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _script_in_container(job: Job) -> tuple[Path, list[str]]:
    """Return the folder to mount as the working directory, and the script's place and arguments.

    The present folder is mounted where the script lies below it, so that its relative paths
    mean what they mean outside.
    """
    if job.script is None:
        return Path.cwd(), []
    folder, script = Path.cwd(), job.script
    if not script.resolve().is_relative_to(folder):  # elsewhere, or a link to there
        script = script.resolve()
        folder = script.parent
    return folder, [str(script.relative_to(folder)), *job.args]


def _build_step(line: str) -> str:
    """Return a line of BuildKit's plain progress as a few words about the present step."""
    if "uv pip install" in line or "Downloading" in line or "Installed" in line:
        return "building the image: installing packages"
    if "warm.sh" in line:
        return "building the image: filling its caches"
    return "building the image"


def _build_error(tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if "error" in line.lower()]
    return (lines or tail.strip().splitlines() or ["it said nothing"])[-1][:300]
