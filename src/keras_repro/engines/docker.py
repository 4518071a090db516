"""Run in containers, through Docker Compose: the same services a user runs by hand."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, closing, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from keras_repro import __version__
from keras_repro.backends import Backend
from keras_repro.engines import (
    Availability,
    Ended,
    EngineUnavailableError,
    Job,
    Say,
    base,
    build_log,
    container,
    images,
)
from keras_repro.engines.docker_client import connect
from keras_repro.engines.docker_command import container_name, docker
from keras_repro.engines.images import (
    BASE_LABEL,
    CONTAINER,
    PACKAGE,
    PROJECT,
    SOURCE_LABEL,
    image_name,
    is_built_by_compose,
    is_of_other_lock,
    parent,
    platform,
    source_sha256,
)
from keras_repro.engines.left_containers import remove_left
from keras_repro.engines.output import complaint, follow
from keras_repro.engines.served import SERVE, Pool, Served
from keras_repro.errors import StoppedError, UnavailableError, UsageError
from keras_repro.numbers.cores import cores

STOP_SECONDS = 5
PING_SECONDS = 5
CLIENT_SECONDS = 60
REMEDY = "start Docker, or use --engine local"


class DockerEngine:
    """Builds and runs the Compose services of this project."""

    name = "docker"
    title = "docker"

    @property
    def slots(self) -> int:
        """A run a core."""
        return cores()

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._building: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()
        # Several workloads may want the same image at the same time.
        self._builds: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._open = ExitStack()
        self._pool = Pool(self._begin_serving)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """End what is still running, and the connection to Docker."""
        self.stop()
        self._open.close()

    @cached_property
    def _client(self) -> DockerClient:
        return self._open.enter_context(closing(connect(CLIENT_SECONDS)))

    def problem(self) -> EngineUnavailableError | None:
        """Return why this engine cannot be used, or None."""
        reason = self._reason()
        return EngineUnavailableError(reason, REMEDY) if reason else None

    def _reason(self) -> str:
        if not (PROJECT / "docker-compose.yml").is_file():
            return "this installation carries no docker-compose.yml"
        try:
            with closing(connect(PING_SECONDS)) as client:
                client.ping()
        except (DockerException, OSError):
            return "no Docker engine answers"
        try:
            command = ["docker", "compose", "version"]
            compose = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            return "there is no docker command on PATH"
        return "" if compose.returncode == 0 else "Docker has no Compose v2 plugin"

    def availability(self, backend: Backend) -> Availability:
        """Return whether the backend's image is built."""
        image = self._image(image_name(backend))
        if image is None:
            return Availability(False, "image not built", _build_command(backend))
        if not self._is_current(backend, image):
            remedy = f"keras-repro train --backend {backend.name} rebuilds it"
            return Availability(True, "image out of date", remedy)
        return Availability(True, f"image {image.short_id.removeprefix('sha256:')}")

    def environment_id(self, backend: Backend) -> str | None:
        """Return the image's id, None where it is not built from the present sources."""
        image = self._image(image_name(backend))
        if image is None or not self._is_current(backend, image):
            return None
        return str(image.id)

    def changed_since(self, backend: Backend, image: str | None) -> str | None:
        """Return "image" where the run was made in another one than there is now."""
        return None if image == self.environment_id(backend) else "image"

    def prepare(self, backend: Backend, say: Say) -> None:
        """Build the backend's image unless it was built from just these sources."""
        if self.environment_id(backend) is not None:
            return
        below = parent(backend)
        if below is not None:
            self.prepare(below, say)
        with self._builds[image_name(backend)]:
            if self.environment_id(backend) is not None:
                return
            if below is None:
                self._fetch_base(backend, say)
            if is_built_by_compose(backend):
                say("building the image")
                self._build_service(backend, say)
            else:
                say(f"building the image: {_what(backend)}")
                self._build(backend, below, say)
            if self.environment_id(backend) is None:
                raise UnavailableError(
                    f"another keras-repro built its own image of {backend.name} meanwhile; "
                    "run the same command again"
                )

    def run(self, job: Job, say: Say) -> Ended:
        """Run the backend's service once, as ``docker compose run`` does."""
        self._go_on()
        remove_left(self._client)
        name = container_name(job.backend)
        say("starting the container")
        process = self._start(job, name, [])
        self._running[name] = process
        try:
            tail = follow(process, lambda line: None)
            status = process.wait()
        finally:
            self._running.pop(name, None)
        if status != 0 and not self._stopped.is_set():
            self._check_it_was_the_recorder(job.backend.name, status, tail)
        return Ended(status, complaint(tail))

    def serve(self, job: Job, alone: bool, say: Say) -> Ended:
        """Execute one run in a container that stays for more; see Serving."""
        self._go_on()
        say("starting")  # its container may be there
        ended, tail = self._pool.make(job, container.out(job), alone)
        if tail is not None and ended.status != 0 and not self._stopped.is_set():
            self._check_it_was_the_recorder(job.backend.name, ended.status, tail)
        return ended

    def let_go(self) -> None:
        """End the containers that stay for more."""
        self._pool.end()

    def _begin_serving(self, job: Job) -> Served:
        remove_left(self._client)
        name = container_name(job.backend)
        process = self._start(job, name, [SERVE], serves=True)
        self._running[name] = process
        return Served(process, lambda: self._forget(name))

    def _forget(self, name: str) -> None:
        self._running.pop(name, None)

    def abandon(self, job: Job, reason: str) -> Path | None:
        """Publish as failed what a killed recorder left, in a container; return its folder.

        What a script may have written is another user's, and is looked at there alone.
        """
        name = container_name(job.backend)
        tail = follow(process := self._start(job, name, ["--abandoned", reason]), lambda line: None)
        place = Path((tail.strip().splitlines() or [""])[-1])
        if process.wait() != 0 or not place.is_relative_to(container.ARTIFACTS):
            return None
        return job.artifacts / place.relative_to(container.ARTIFACTS)

    def _start(
        self, job: Job, name: str, more: list[str], serves: bool = False
    ) -> "subprocess.Popen[bytes]":
        image = self.environment_id(job.backend) or image_name(job.backend)
        try:
            memory_there = int(self._client.info()["MemTotal"])
        except (DockerException, OSError) as error:
            raise _gone() from error
        environment = {**os.environ, **container.variables(job, image, memory_there, serves)}
        environment |= base.variables(base.base_of(self._client, image))
        return self._compose(container.command(job, name, more), environment, serves)

    def kept(self) -> tuple[int, int]:
        """Return how many images have another lock, and how much larger they are than theirs."""
        found = self._of_other_locks()
        sizes = []
        for image in found:
            label = image.labels.get(BASE_LABEL)
            below = self._image(label) if label else None
            sizes.append(image.attrs["Size"] - (below.attrs["Size"] if below else 0))
        return len(found), sum(max(size, 0) for size in sizes)

    def prune(self) -> None:
        """Remove the images with another lock."""
        for image in self._of_other_locks():
            for tag in image.tags:
                with suppress(DockerException):  # one in use stays
                    self._client.images.remove(tag)

    def _of_other_locks(self) -> list[Any]:
        with suppress(DockerException, OSError):
            every = self._client.images.list()
            return [i for i in every if any(is_of_other_lock(tag) for tag in i.tags)]
        return []

    def stop(self) -> None:
        """End every build, ask every container to end, and remove what is left after that."""
        self._stopped.set()
        self.let_go()
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

    def _fetch_base(self, backend: Backend, say: Say) -> None:
        """Have Docker keep the base by its name: a build would take it and not keep which it was.

        Where it cannot be had, the build says so.
        """
        name = base.base_name(backend)
        if self._image(name) is None:
            say(f"fetching the image {name}")
            pull = docker("pull", "--quiet", "--platform", platform(backend), name)
            self._follow(pull, lambda line: None)
            self._go_on()

    def _build_service(self, backend: Backend, say: Say) -> None:
        environment = {
            **os.environ,
            "KERAS_REPRO_SOURCE_SHA256": source_sha256(backend),
            "KERAS_REPRO_VERSION": __version__,
            "KERAS_REPRO_TAG": "latest",
            "KERAS_REPRO_IMAGE": "",
            "KERAS_REPRO_PLATFORM": platform(backend),
        }
        arguments = ["--progress", "plain", "build", backend.name]
        self._follow_build(self._compose(arguments, environment), backend, say)

    def _build(self, backend: Backend, below: Backend | None, say: Say) -> None:
        """Build an image that is no service's: a layer on that of ``below``, or a whole one."""
        with tempfile.TemporaryDirectory() as folder:
            if below is None:
                arguments = images.whole(backend, Path(folder))
            else:
                image = self._image(image_name(below))
                if image is None:
                    name = image_name(below)
                    raise UnavailableError(f"the image {name} is gone; run the same command again")
                arguments = images.layer(backend, str(image.id), Path(folder))
                self._go_on()
                self._follow_build(docker("build", *images.uv_image(backend)), backend, say)
            self._follow_build(docker("build", *arguments), backend, say)

    def _follow_build(self, process: "subprocess.Popen[bytes]", backend: Backend, say: Say) -> None:
        status, tail = self._follow(process, lambda line: build_log.say_step(line, say))
        self._go_on()
        if status != 0 and self.problem() is not None:
            raise _gone(f" while the image of {backend.name} was built")
        if status != 0 and (refused := build_log.refused(tail)):
            raise UsageError(f"system packages: {refused}; mend the name or the version")
        if status != 0:
            by_hand = is_built_by_compose(backend)
            whole = f"; see it whole with: {_build_command(backend)}" if by_hand else ""
            raise UnavailableError(
                f"the image of {backend.name} does not build: {build_log.error(tail)}{whole}"
            )

    def _follow(self, process: "subprocess.Popen[bytes]", on_line: Say) -> tuple[int, str]:
        """Wait for a process that stop() ends; return its exit status and the last it said."""
        self._building.add(process)
        tail = follow(process, on_line)
        self._building.discard(process)
        return process.wait(), tail

    def _is_current(self, backend: Backend, image: Any) -> bool:
        if f"linux/{image.attrs.get('Architecture')}" != platform(backend):
            return False
        below = parent(backend)
        if below is None:
            return bool(image.labels.get(SOURCE_LABEL) == source_sha256(backend))
        below_id = self.environment_id(below)
        if below_id is None or image.labels.get(BASE_LABEL) != below_id:
            return False
        # A build takes its base by name, which may have become another checkout's before that.
        under = self._image(below_id)
        if under is None:  # removed just now
            return False
        layers = under.attrs["RootFS"]["Layers"]
        return bool(image.attrs["RootFS"]["Layers"][: len(layers)] == layers)

    def _image(self, name: str) -> Any:
        try:
            return self._client.images.get(name)
        except ImageNotFound:
            return None
        except (DockerException, OSError) as error:
            raise _gone() from error

    def _compose(
        self, arguments: list[str], environment: dict[str, str], serves: bool = False
    ) -> subprocess.Popen[bytes]:
        project = ["compose", "--project-directory", str(PROJECT)]
        project += ["--file", str(PROJECT / "docker-compose.yml")]
        environment["KERAS_REPRO_PACKAGE"] = str(PACKAGE)
        environment["KERAS_REPRO_DOCKERFILE"] = str(PROJECT / "Dockerfile")
        return docker(*project, *arguments, environment=environment, serves=serves)

    def _check_it_was_the_recorder(self, service: str, status: int, tail: str) -> None:
        """Raise where Docker, and not the recorder, is the reason of a failure."""
        lines = [line for line in tail.strip().splitlines() if line.strip()]
        last = lines[-1].strip() if lines else ""
        if self.problem() is not None:
            raise _gone(f" while {service} was training")
        docker_failed = status in (125, 126, 127) or (
            status == 1 and "keras-repro:" not in tail and "daemon" in tail.lower()
        )
        if docker_failed:
            raise UnavailableError(f"Docker could not run {service}: {last}")


def _gone(meanwhile: str = "") -> UnavailableError:
    return UnavailableError(
        f"the Docker engine stopped answering{meanwhile}; start it and run the same command again"
    )


def _what(backend: Backend) -> str:
    """Return what there is in an image besides its base's, in a word or two."""
    below = parent(backend)
    if below is not None and backend.extra != below.extra:
        return "extra packages"
    if below is not None and backend.from_debian != below.from_debian:
        return f"with {', '.join(backend.from_debian)}"
    return "other packages" if below else f"on Python {backend.python}"


def _build_command(backend: Backend) -> str:
    if PROJECT != CONTAINER:
        return f"docker compose build {backend.name}"
    variables = f"KERAS_REPRO_PACKAGE={PACKAGE} KERAS_REPRO_DOCKERFILE={PROJECT / 'Dockerfile'}"
    return f"{variables} docker compose -f {PROJECT}/docker-compose.yml build {backend.name}"
