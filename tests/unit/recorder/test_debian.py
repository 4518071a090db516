"""Debian's packages are read from dpkg's own file."""

from datetime import UTC, datetime

import pytest

from keras_repro.recorder import __main__ as recorder
from keras_repro.recorder import debian
from keras_repro.recorder.conditions import Conditions
from keras_repro.recorder.request import Request, facts_asked, facts_before

STATUS = """\
Package: g++-12
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Version: 12.2.0-14+deb12u1
Depends: gcc-12 (= 12.2.0-14+deb12u1), libc6 (>= 2.34)
Description: GNU C++ compiler
 This is the GNU C++ compiler.
 Version: of a description, which is no field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install ok half-installed
Version: 2

Package: without-a-version
Status: install ok installed

Package: libc6
Version: 2.36-9+deb12u9
Status: install ok installed
"""


@pytest.fixture
def status(tmp_path):
    path = tmp_path / "status"
    path.write_text(STATUS)
    return path


def test_what_is_installed_is_read_and_nothing_else(status):
    assert debian.installed_packages(str(status)) == {
        "g++-12": "12.2.0-14+deb12u1",
        "libc6": "2.36-9+deb12u9",
    }


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xff\xfe", b"Status: install ok installed"])
def test_a_file_that_says_nothing_has_no_packages(status, content):
    status.write_bytes(content)
    assert debian.installed_packages(str(status)) == {}


def test_where_there_is_no_dpkg_there_are_no_packages(tmp_path):
    assert debian.installed_packages(str(tmp_path / "none")) == {}
    assert debian.installed_packages(str(tmp_path)) == {}


def facts(read, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("")
    request = Request(str(script), None, [], "out", "jax", "jax", Conditions(), None, None)
    return read(request)


@pytest.mark.parametrize(("engine", "told"), [("docker", True), ("local", False), ("", False)])
def test_a_run_has_them_where_they_are_an_images(status, tmp_path, monkeypatch, engine, told):
    monkeypatch.setenv("KERAS_REPRO_ENGINE", engine)
    monkeypatch.setattr(debian.installed_packages, "__defaults__", (str(status),))
    known = facts(lambda request: facts_before(request, datetime.now(UTC)), tmp_path)
    assert ("g++-12" in known["debian_packages"]) is told


def test_a_run_has_the_base_that_the_engine_names(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_REPRO_BASE_IMAGE", "sha256:1")
    monkeypatch.setenv("KERAS_REPRO_BASE_DIGEST", "")  # as docker-compose.yml hands on no value
    known = facts(facts_asked, tmp_path)
    assert (known["base_image"], known["base_digest"]) == ("sha256:1", None)


def known_of(tmp_path, status, monkeypatch, *packages):
    """Return the facts of a local run that was given system packages."""
    monkeypatch.setenv("KERAS_REPRO_ENGINE", "local")
    monkeypatch.setattr(debian.installed_packages, "__defaults__", (str(status),))

    def read(request):
        asked = request._replace(conditions=Conditions(system_packages=packages))
        return facts_before(asked, datetime.now(UTC))

    return facts(read, tmp_path)


def test_without_an_image_a_run_has_those_that_it_was_given(status, tmp_path, monkeypatch):
    name, version = next(iter(debian.installed_packages(str(status)).items()))
    known = known_of(tmp_path, status, monkeypatch, f"{name}={version}")
    assert known["debian_packages"] == {name: version}
    assert known["system_packages"] == [f"{name}={version}"]
    assert "not_recorded" not in known


def test_where_there_is_no_dpkg_a_run_says_so(tmp_path, monkeypatch):
    known = known_of(tmp_path, tmp_path / "none", monkeypatch, "graphviz")
    assert known["debian_packages"] == {}
    assert known["not_recorded"] == {
        "which system packages there are": "there is no dpkg here to ask"
    }
    assert "not_recorded" not in known_of(tmp_path, tmp_path / "none", monkeypatch)


def test_an_image_that_lacks_one_runs_nothing(status, tmp_path, monkeypatch, capsys):
    """As by docker compose run jax --system-package graphviz, which installs nothing."""
    ran = []
    monkeypatch.setattr(recorder, "run", ran.append)
    monkeypatch.setenv("KERAS_REPRO_ENGINE", "docker")
    monkeypatch.setattr(debian.installed_packages, "__defaults__", (str(status),))
    [name, *_] = debian.installed_packages(str(status))
    arguments = ["--out", str(tmp_path / "run"), "--system-package"]
    recorder.main([*arguments, name])
    assert len(ran) == 1
    with pytest.raises(SystemExit) as ended:
        recorder.main([*arguments, "no-such-package"])
    assert (len(ran), ended.value.code) == (1, 2)
    assert "this image has no no-such-package; keras-repro train makes" in capsys.readouterr().err
