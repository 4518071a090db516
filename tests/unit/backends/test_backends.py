"""Each backend is whole: its folder, its lock, its Compose service."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from keras_repro import __version__, backends
from keras_repro.engines import images
from keras_repro.errors import UsageError
from keras_repro.numbers.tolerances import DEFAULT, Tolerances
from tests.conftest import BACKENDS, ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def build_arguments(command: list[str]) -> dict[str, str]:
    """Return {name: value} of docker build's --build-arg options."""
    given = [command[i + 1] for i, part in enumerate(command) if part == "--build-arg"]
    return dict(argument.split("=", 1) for argument in given)


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


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Write the backend.toml of a made-up backend, the only one there is."""
    monkeypatch.setattr(backends, "FOLDER", tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "requirements.in").write_text("keras\n")
    stated = {
        "title": '"Own"',
        "python": '"3.11"',
        "keras_backend": '"jax"',
        "platform": '"linux/amd64"',
        "accelerator": '"cpu"',
    }

    def write(more="", **changes):
        lines = {name: value for name, value in (stated | changes).items() if value}
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        (tmp_path / "own" / "backend.toml").write_text(text + more)
        return backends.load()["own"]

    return write


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"platform": '"linux/mips"'}, "platform: Input should be 'linux/amd64' or 'linux/arm64'"),
        ({"accelerator": '"tpu"'}, "accelerator: Input should be 'cpu'"),
        ({"platform": ""}, "platform: Field required"),
        ({"accelerator": ""}, "accelerator: Field required"),
        ({"python": "3.11 rc"}, "backend.toml: "),
    ],
)
def test_a_wrong_setting_of_a_backend_is_one_line(settings, wrong, words):
    with pytest.raises(UsageError) as caught:
        settings(**wrong)
    assert words in str(caught.value)
    assert "own/backend.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tolerances_are_stated_where_they_differ_from_the_default(settings):
    default = {"*": Tolerances(rtol=DEFAULT.rtol, atol=DEFAULT.atol)}
    assert settings().tolerances == default
    own = settings('[tolerances]\n"costs/*" = { rtol = 1e-3 }\n').tolerances
    assert list(own.items()) == [("costs/*", Tolerances(rtol=1e-3)), *default.items()]
    own = settings('[tolerances]\n"*" = { atol = 1.0 }\n').tolerances
    assert own == {"*": Tolerances(atol=1.0)}


@pytest.mark.parametrize("name", BACKENDS)
def test_no_backend_states_the_default_again(name):
    backend = backends.load()[name]
    stated = tomllib.loads((backend.folder / "backend.toml").read_text()).get("tolerances", {})
    assert not any(Tolerances(**one).as_tolerance() == DEFAULT for one in stated.values())


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
    arguments = dict(service["build"]["args"])
    by_name = f"keras-repro/{name}:${{KERAS_REPRO_TAG:-latest}}"
    assert service["image"] == f"${{KERAS_REPRO_IMAGE:-{by_name}}}"
    assert arguments.pop("BACKEND") == name
    assert arguments.pop("KERAS_BACKEND") == backend.keras_backend
    assert arguments.pop("PYTHON_VERSION") == backend.python
    assert arguments.pop("APT_PACKAGES", "").split() == backend.apt_packages
    # What only the package knows: docker.py hands it in.
    assert arguments.pop("SOURCE_SHA256") == "${KERAS_REPRO_SOURCE_SHA256:-}"
    assert arguments.pop("VERSION") == "${KERAS_REPRO_VERSION:-}"
    assert not arguments


@pytest.mark.parametrize("name", BACKENDS)
def test_the_service_runs_on_the_platform_that_has_its_packages_or_on_one_asked_for(name):
    platform = backends.load()[name].platform
    assert COMPOSE["services"][name]["platform"] == f"${{KERAS_REPRO_PLATFORM:-{platform}}}"


@pytest.mark.parametrize("name", BACKENDS)
def test_an_image_of_another_lock_is_built_from_the_same_arguments(name, tmp_path: Path):
    given = build_arguments(images.whole(backends.load()[name], tmp_path))
    asked = set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))
    assert set(given) == asked
    by_compose = COMPOSE["services"][name]["build"]["args"]
    assert set(by_compose) | {"APT_PACKAGES"} == asked
    for argument in ("BACKEND", "KERAS_BACKEND", "PYTHON_VERSION", "APT_PACKAGES"):
        assert given[argument] == by_compose.get(argument, "")


def test_no_frontend_is_fetched_and_the_bases_are_official():
    assert not DOCKERFILE.lower().startswith("# syntax=")
    for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        assert re.fullmatch(r"python:\S+-slim-bookworm", base) or base in ("base", "environment")


def test_the_version_stands_in_the_package_alone(tmp_path: Path):
    assert __version__ not in DOCKERFILE
    assert __version__ not in (ROOT / "docker-compose.yml").read_text()
    assert 'image.version="${VERSION}"' in DOCKERFILE
    given = build_arguments(images.whole(backends.load()["theano"], tmp_path))
    assert given["VERSION"] == __version__


def test_an_unknown_backend_is_named_with_those_there_are():
    with pytest.raises(UsageError, match=r"'caffe'.*theano"):
        backends.select(("caffe",))


def test_a_backend_named_twice_is_taken_once():
    assert [backend.name for backend in backends.select(("jax", "jax"))] == ["jax"]
