"""The bill of materials of an image has what lies in it, is valid, and is the same twice."""

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace

import pytest

from keras_repro import backends
from keras_repro.engines.base import Base
from keras_repro.engines.docker import DockerEngine
from keras_repro.errors import UnreadableError
from tests.conftest import DEMAND_DOCKER, ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cyclonedx_py") is None and not DEMAND_DOCKER,
    reason="needs what make sbom installs",
)
SITE, BASE_SITE = (f"{place}/lib/python3.8/site-packages" for place in ("opt/venv", "usr/local"))
STATUS = """\
Package: g++-12
Status: install ok installed
Version: 12.2.0-14+deb12u1

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def metadata(name, version, *more):
    return "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more, ""])


FILES = {
    "var/lib/dpkg/status": STATUS,
    "etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    f"{SITE}/Keras-2.3.1.dist-info/METADATA": metadata(
        "Keras", "2.3.1", "License: MIT", "Requires-Dist: numpy (>=1.9)"
    ),
    f"{SITE}/numpy-1.24.4.dist-info/METADATA": metadata("numpy", "1.24.4"),
    f"{BASE_SITE}/pip-23.0.1.dist-info/METADATA": metadata("pip", "23.0.1"),
}


def archive(files, *members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for member in members:
            tar.addfile(member)
    return content.getvalue()


@pytest.fixture(scope="module")
def sbom():
    from tools import sbom

    return sbom


@pytest.fixture
def image(sbom):
    return sbom.Image(
        name="keras-repro/theano:latest",
        id="sha256:" + "a" * 64,
        architecture="amd64",
        base_name="python:3.8-slim-bookworm",
        base=Base("sha256:" + "b" * 64, "sha256:" + "c" * 64),
        python="3.8.18",
        contents=archive(FILES),
    )


def addresses(bill):
    return {one["purl"] for one in bill["components"] if "purl" in one}


def is_valid(text):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_has_what_lies_in_the_image_and_no_more(sbom, image):
    text = sbom.document(image)
    bill = json.loads(text)
    assert is_valid(text)
    assert addresses(bill) == {
        "pkg:deb/debian/g%2B%2B-12@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
        "pkg:generic/python@3.8.18",
        "pkg:pypi/keras@2.3.1",
        "pkg:pypi/numpy@1.24.4",
        "pkg:pypi/pip@23.0.1",
    }
    subject = bill["metadata"]["component"]
    assert (subject["type"], subject["version"]) == ("container", image.id)
    [base] = subject["pedigree"]["ancestors"]
    assert (base["name"], base["version"]) == (image.base_name, image.base.id)
    assert base["purl"].endswith("c" * 64)
    depends = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert depends["Keras==2.3.1"] == ["numpy==1.24.4"]
    assert set(depends["image"]) == {one["bom-ref"] for one in bill["components"]}


def test_it_is_the_same_of_the_same_image_wherever_it_is_made(sbom, image, monkeypatch):
    first = sbom.document(image)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))  # nothing of which is the image's
    assert sbom.document(replace(image, contents=archive(dict(reversed(FILES.items()))))) == first
    assert "timestamp" not in first
    assert "serialNumber" not in first


def test_a_base_that_docker_does_not_know_is_left_out(sbom, image):
    assert "pedigree" not in sbom._subject(replace(image, base=None))
    loaded = sbom._subject(replace(image, base=Base(image.base.id, None)))
    [base] = loaded["pedigree"]["ancestors"]
    assert "purl" not in base


def test_what_is_no_image_of_ours_is_one_line(sbom, image):
    link = tarfile.TarInfo("etc/out")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for contents in (archive(FILES, link), b"no archive"):
        with pytest.raises(UnreadableError, match="what lies in keras-repro/theano:latest"):
            sbom.document(replace(image, contents=contents))
    with pytest.raises(UnreadableError, match="no valid CycloneDX"):
        sbom.document(replace(image, id=None))


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "sbom.py"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_backend_that_there_is_not_is_one_line(tmp_path):
    done = run("--backend", "caffe", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("keras-repro: no backend 'caffe'; there are ")
    assert not list(tmp_path.iterdir())


@pytest.mark.docker
@pytest.mark.parametrize("backend", ["theano"])
def test_theanos_image_has_its_packages_and_a_compiler(backend, tmp_path):
    done = run("--backend", backend, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "sbom" / "theano.cdx.json"
    assert done.stdout.splitlines()[-1] == "wrote sbom/theano.cdx.json"
    assert list(path.parent.iterdir()) == [path]
    bill = json.loads(path.read_text())
    assert is_valid(path.read_text())
    found = {address.partition("@")[0] for address in addresses(bill)}
    locked = backends.entries(backends.load()[backend].lock)
    assert {f"pkg:pypi/{name}" for name in locked} <= found
    assert {"pkg:deb/debian/g%2B%2B", "pkg:deb/debian/libc6", "pkg:generic/python"} <= found
    with DockerEngine() as engine:
        image = engine.environment_id(backends.load()[backend])
    assert bill["metadata"]["component"]["version"] == image
