"""Which releases there are, from whatever index, mirror or wheel folder uv or pip is told of."""

import functools
import http.server
import threading

import pytest

from keras_repro import backends
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import index_settings, releases
from tests.planted_index import PlantedIndex

[JAX] = backends.select(("jax",))
BACKEND = JAX.model_copy(update={"python": "3.11", "platform": "linux/amd64"})
SETTINGS = ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "DEFAULT_INDEX", "INDEX")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for tool in ("UV", "PIP"):
        for name in SETTINGS:
            monkeypatch.delenv(f"{tool}_{name}", raising=False)
    monkeypatch.setattr(index_settings, "_pip_stored", dict)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def planted(tmp_path):
    found = PlantedIndex(tmp_path / "index")
    found.release("planted", "1.10", 1.0)
    found.release("planted", "1.9", 1.0)
    found.release("planted", "2.0rc1", 1.0)
    found.release("planted", "1.11", 1.0, yanked=True)
    found.release("planted", "1.12", 1.0, python=">=3.13")
    found.release("planted", "1.13", 1.0, tag="cp38-cp38-manylinux2014_x86_64")
    return found


@pytest.fixture
def served(planted):
    """The index by HTTP, as a mirror would have it."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(planted.folder))
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def found(**options):
    return {
        str(one.version): one.problem for one in releases.releases("Planted", BACKEND, **options)
    }


def test_wheels_for_another_platform_are_none_for_this_one(planted, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", planted.url)
    planted.release("planted", "1.14", 1.0, tag="cp311-cp311-manylinux2014_x86_64")
    assert found()["1.14"] == ""
    arm = BACKEND.model_copy(update={"platform": "linux/arm64"})
    there = {str(one.version): one.problem for one in releases.releases("planted", arm)}
    assert there["1.14"] == "it has no wheel for Python 3.11 on this platform"
    assert there["1.10"] == ""  # pure Python


EXPECTED = {
    "1.9": "",
    "1.10": "",
    "1.12": "it needs Python >=3.13, and this is 3.11",
    "1.13": "it has no wheel for Python 3.11 on this platform",
}


@pytest.mark.parametrize(
    "variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "PIP_INDEX_URL"]
)
def test_an_index_of_files(planted, monkeypatch, variable):
    monkeypatch.setenv(variable, planted.url)
    assert found() == EXPECTED
    assert list(found()) == ["1.9", "1.10", "1.12", "1.13"]  # in version order
    assert "2.0rc1" in found(pre=True)
    assert "1.11" not in found(pre=True)


def test_an_index_by_http(served, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{served}/simple/")
    assert found() == EXPECTED
    with pytest.raises(UsageError, match="has no package 'nothing-there'"):
        releases.releases("nothing-there", BACKEND)


def test_a_wheel_folder_alone(planted, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(planted.folder / "files"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert set(found()) == {"1.9", "1.10", "1.11", "1.12", "1.13"}  # it tells of no yank
    monkeypatch.setenv("PIP_FIND_LINKS", "index/files")  # as seen from here
    assert "1.9" in found()
    monkeypatch.setenv("PIP_FIND_LINKS", str(planted.folder / "nowhere"))
    with pytest.raises(UnavailableError, match="there is no wheel folder"):
        found()


def test_an_index_that_cannot_be_read_shows_no_password(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:secret@127.0.0.1:9/simple")
    with pytest.raises(UnavailableError, match="cannot read the package index") as problem:
        found()
    assert "secret" not in str(problem.value)


def test_uvs_settings_go_before_pips(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://more.example/simple")
    settings = index_settings.in_use()
    assert settings.default == "https://pip.example/simple"
    assert settings.best_match  # as pip does
    assert dict(settings.variables)["UV_DEFAULT_INDEX"] == "https://pip.example/simple"
    monkeypatch.setenv("UV_INDEX", "own=https://uv.example/simple")
    settings = index_settings.in_use()
    assert settings.extra == ("https://uv.example/simple",)
    assert settings.default is None
    assert not settings.variables


def test_uvs_own_file_is_read(monkeypatch, tmp_path):
    monkeypatch.delenv("UV_NO_CONFIG")
    (tmp_path / "uv.toml").write_text(
        'find-links = ["wheels"]\n[[index]]\nname = "a"\nurl = "https://a.example"\n'
        'default = true\n[[index]]\nname = "b"\nurl = "https://b.example"\nexplicit = true\n'
    )
    settings = index_settings.in_use()
    assert settings.default == "https://a.example"
    assert settings.extra == ()
    assert settings.find_links == ("wheels",)


def test_what_is_new_in_a_local_index_is_noticed(planted, monkeypatch):
    monkeypatch.setenv("UV_INDEX", planted.url)
    before = index_settings.fingerprint(index_settings.in_use())
    assert index_settings.fingerprint(index_settings.in_use()) == before
    planted.release("planted", "3.0", 1.0)
    assert index_settings.fingerprint(index_settings.in_use()) != before
