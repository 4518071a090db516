"""Each backend is whole: its folder, its lock, its Compose service."""

import json
import re

import pytest
import yaml
from packaging.requirements import Requirement

from keras_repro import __version__, backends
from keras_repro.errors import UsageError
from tests.conftest import BACKENDS, ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", BACKENDS)
def test_the_lock_has_a_hash_for_everything_and_no_address(name):
    text = backends.load()[name].requirements.read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text
    assert "index" not in text.replace("# via", "")


@pytest.mark.parametrize("name", BACKENDS)
def test_the_lock_holds_what_is_asked_for(name):
    backend = backends.load()[name]
    for line in (backend.folder / "requirements.in").read_text().split():
        asked = Requirement(line)
        locked = backend.pins[asked.name]
        assert asked.specifier.contains(locked)


def test_torch_is_the_cpu_build():
    assert backends.load()["torch"].pins["torch"].endswith("+cpu")
    assert "nvidia" not in backends.load()["torch"].requirements.read_text()


@pytest.mark.parametrize("name", BACKENDS)
def test_keras_json_names_the_backend(name):
    backend = backends.load()[name]
    config = json.loads((backend.folder / "keras.json").read_text())
    assert config["backend"] == backend.keras_backend


def test_each_backend_has_its_service_and_each_service_its_backend():
    assert set(COMPOSE["services"]) == set(BACKENDS)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_service_is_built_as_the_backend_says(name):
    backend, service = backends.load()[name], COMPOSE["services"][name]
    arguments = service["build"]["args"]
    assert service["image"] == f"keras-repro/{name}:${{KERAS_REPRO_TAG:-latest}}"
    assert arguments["BACKEND"] == name
    assert arguments["KERAS_BACKEND"] == backend.keras_backend
    assert arguments["PYTHON_VERSION"] == backend.python
    assert arguments.get("APT_PACKAGES", "").split() == backend.apt_packages


def test_no_frontend_is_fetched_and_the_bases_are_official():
    text = (ROOT / "Dockerfile").read_text()
    assert not text.lower().startswith("# syntax=")
    for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"python:\S+-slim-bookworm", base) or base in ("base", "environment")


def test_the_image_has_the_version_of_the_package():
    assert f'image.version="{__version__}"' in (ROOT / "Dockerfile").read_text()


def test_an_unknown_backend_is_named_with_those_there_are():
    with pytest.raises(UsageError, match=r"'caffe'.*theano"):
        backends.select(("caffe",))


def test_a_backend_named_twice_is_taken_once():
    assert [backend.name for backend in backends.select(("jax", "jax"))] == ["jax"]
