"""Debian's packages are read from dpkg's own file."""

from datetime import UTC, datetime

import pytest

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
