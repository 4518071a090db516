"""The Docker engine without a Docker: which image is the present one, and what it lets go of."""

import hashlib
import json
import socket
from types import SimpleNamespace

import pytest
from docker.errors import ImageNotFound

from keras_repro import backends
from keras_repro.engines import Job, docker, images, left_containers
from keras_repro.engines.docker import DockerEngine
from keras_repro.engines.docker_client import endpoint
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.project.workload import builtin

[JAX] = backends.select(("jax",))


class Client:
    """A Docker that has one image, built from the present sources for some platform."""

    def __init__(self, architecture="amd64"):
        self.closed = False
        labels = {images.SOURCE_LABEL: images.source_sha256(JAX)}
        self.image = SimpleNamespace(
            id="sha256:1", labels=labels, attrs={"Architecture": architecture}
        )
        self.images = self

    def get(self, name):
        if name != images.image_name(JAX):
            raise ImageNotFound("none")
        return self.image

    def close(self):
        self.closed = True


@pytest.fixture
def client(monkeypatch):
    monkeypatch.delenv("KERAS_REPRO_PLATFORM", raising=False)
    client = Client()
    monkeypatch.setattr(docker, "connect", lambda timeout: client)
    return client


def test_leaving_the_engine_closes_its_connection(client):
    with DockerEngine() as engine:
        assert engine.environment_id(JAX) == "sha256:1"
        assert not client.closed
    assert client.closed


def test_a_run_of_another_image_was_made_in_another_environment(client):
    with DockerEngine() as engine:
        assert engine.changed_since(JAX, "sha256:1") is None
        assert engine.changed_since(JAX, "sha256:0") == "image"
        assert engine.changed_since(JAX, None) == "image"


def test_an_image_for_another_platform_is_built_anew(client, monkeypatch):
    with DockerEngine() as engine:
        assert engine.environment_id(JAX) is not None
        monkeypatch.setenv("KERAS_REPRO_PLATFORM", "linux/arm64")
        assert engine.environment_id(JAX) is None
        client.image.attrs["Architecture"] = "arm64"
        assert engine.environment_id(JAX) is not None


def test_the_platform_is_the_backends_or_what_is_asked_for(client, monkeypatch, tmp_path):
    arm = JAX.model_copy(update={"platform": "linux/arm64"})
    assert images.platform(JAX) == "linux/amd64"
    assert images.platform(arm) == "linux/arm64"
    command = images.whole(arm, tmp_path)
    assert command[command.index("--platform") + 1] == "linux/arm64"
    monkeypatch.setenv("KERAS_REPRO_PLATFORM", "linux/amd64")
    assert images.platform(arm) == "linux/amd64"
    monkeypatch.setenv("KERAS_REPRO_PLATFORM", "darwin")
    with pytest.raises(UsageError, match=r"KERAS_REPRO_PLATFORM=darwin: .*linux/amd64"):
        images.platform(arm)


def test_the_docker_that_the_docker_command_talks_to_is_asked(tmp_path, monkeypatch):
    """Docker Desktop has its socket in the user's home, and a context that says where."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert endpoint() is None
    digest = hashlib.sha256(b"desktop").hexdigest()
    described = tmp_path / "contexts" / "meta" / digest / "meta.json"
    described.parent.mkdir(parents=True)
    host = f"unix://{tmp_path}/docker.sock"
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    described.write_text(json.dumps({"Name": "desktop", "Metadata": {}, "Endpoints": endpoints}))
    assert endpoint() is None
    (tmp_path / "config.json").write_text('{"currentContext": "desktop"}')
    assert endpoint() == host
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert endpoint() is None
    (tmp_path / "config.json").write_text('{"currentContext": "gone"}')
    monkeypatch.delenv("DOCKER_CONTEXT")
    assert endpoint() is None
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:1")
    assert endpoint() is None  # the client's to read


def test_an_engine_that_goes_away_before_a_run_starts_is_said(client, tmp_path):
    def gone():
        raise ConnectionError("refused")

    client.info = gone
    client.containers = SimpleNamespace(list=lambda **options: [])
    job = Job(JAX, builtin("regression", ""), tmp_path, "jax")
    with DockerEngine() as engine, pytest.raises(UnavailableError, match="stopped answering"):
        engine.run(job, lambda phase: None)


def test_a_layer_on_what_another_checkout_calls_by_the_same_name_is_none_of_ours(client):
    client.image.attrs["RootFS"] = {"Layers": ["one", "two"]}
    labels = {images.BASE_LABEL: client.image.id}
    layer = SimpleNamespace(labels=labels, attrs=dict(client.image.attrs))
    other = JAX.model_copy(update={"extra": "planted==1.0"})
    with DockerEngine() as engine:
        client.get = lambda name: layer if "extra" in name else client.image
        for layers, is_current in ((["one", "two", "three"], True), (["another", "three"], False)):
            layer.attrs["RootFS"] = {"Layers": layers}
            assert engine._is_current(other, layer) is is_current


def test_a_container_is_removed_once_its_command_has_ended(client):
    removed = []

    def container(command):
        return SimpleNamespace(
            labels={left_containers.LABEL: command},
            remove=lambda force: removed.append(command),
        )

    own = left_containers.label().partition("=")[2]
    ended = f"{1 << 30}@{socket.gethostname()}"  # no process has such a number
    found = [container(command) for command in (own, ended, "1@elsewhere", "nonsense")]
    client.containers = SimpleNamespace(list=lambda **options: found)
    left_containers.remove_left(client)
    assert removed == [ended]
