"""The base of an image is told by its layers, and is kept by Docker from before the image."""

import os
import re
from types import SimpleNamespace

import pytest
from docker.errors import DockerException, ImageNotFound

from keras_repro import backends
from keras_repro.engines import docker
from keras_repro.engines.base import Base, base_name, base_of, variables
from keras_repro.engines.docker import DockerEngine
from keras_repro.errors import UnavailableError
from tests.conftest import BACKENDS, ROOT

JAX = backends.load()["jax"]


def image(name, layers, digests=()):
    attrs = {"RootFS": {"Type": "layers", "Layers": layers.split()}, "RepoDigests": list(digests)}
    return SimpleNamespace(id=name, attrs=attrs, labels={})


class Client:
    """A Docker with these images, by name; those called python are told apart by their ids."""

    def __init__(self, *pythons, **others):
        self.images = self
        self.pythons, self.others = list(pythons), others

    def list(self, name):
        assert name == "python"
        return self.pythons

    def get(self, name):
        if name not in self.others:
            raise ImageNotFound("none")
        return self.others[name]


OLD = image("old", "debian python1", ["python@sha256:1"])
NEW = image("new", "debian python2", ["mirror.example/library/python@sha256:2"])
LOADED = image("loaded", "debian python3")


@pytest.mark.parametrize(
    ("layers", "base"),
    [
        ("debian python1 packages recorder", Base("old", "sha256:1")),
        ("debian python2 packages recorder", Base("new", "sha256:2")),
        ("debian python3 packages", Base("loaded", None)),
        ("debian python4 packages", None),
        ("debian packages", None),
        ("debian python1", None),  # nobody's base but its own
    ],
)
def test_it_is_the_one_whose_layers_come_first(layers, base):
    client = Client(OLD, NEW, LOADED, jax=image("jax", layers))
    assert base_of(client, "jax") == base


def test_of_several_it_is_the_nearest():
    own = image("own", "debian python1 certificates")
    client = Client(OLD, own, jax=image("jax", "debian python1 certificates packages"))
    assert base_of(client, "jax") == Base("own", None)


def test_where_docker_does_not_say_it_is_not_known(monkeypatch):
    assert base_of(Client(OLD), "jax") is None
    client = Client(OLD, jax=image("jax", "debian python1 packages"))
    monkeypatch.setattr(client, "list", lambda name: (_ for _ in ()).throw(DockerException("no")))
    assert base_of(client, "jax") is None


def test_what_is_not_known_is_no_variable_of_the_users():
    empty = {"KERAS_REPRO_BASE_IMAGE": "", "KERAS_REPRO_BASE_DIGEST": ""}
    assert variables(None) == empty
    assert variables(Base("sha256:1", None)) == {**empty, "KERAS_REPRO_BASE_IMAGE": "sha256:1"}
    service = (ROOT / "docker-compose.yml").read_text()
    for name in empty:
        assert f"{name}: ${{{name}:-}}" in service


@pytest.mark.parametrize("name", BACKENDS)
def test_the_name_is_the_one_in_the_dockerfile(name):
    backend = backends.load()[name]
    [base] = re.findall(r"^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base_name(backend) == base.replace("${PYTHON_VERSION}", backend.python)


@pytest.mark.parametrize("there", [True, False])
def test_it_is_fetched_before_an_image_is_built_where_it_is_not_there(monkeypatch, tmp_path, there):
    """A build would take it from a registry, and Docker would not know afterwards which it was."""
    known = {base_name(JAX): OLD} if there else {}
    client = Client(**known)
    client.close = lambda: None
    monkeypatch.setattr(docker, "connect", lambda timeout: client)
    command, log, said = tmp_path / "docker", tmp_path / "log", []
    command.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    # Nothing is built here, so that the image is not there afterwards.
    with DockerEngine() as engine, pytest.raises(UnavailableError, match="its own image"):
        engine.prepare(JAX, said.append)
    *fetched, built = log.read_text().splitlines()
    assert built.endswith(" build jax")
    pull = "pull --quiet --platform linux/amd64 python:3.11-slim-bookworm"
    assert fetched == ([] if there else [pull])
    assert ("fetching the image python:3.11-slim-bookworm" in said) is not there
