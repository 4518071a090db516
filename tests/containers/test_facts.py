"""A run says which image it was made in, what that was built on, and what Debian has in it."""

import json
import subprocess

import pytest

from keras_repro import backends
from keras_repro.engines.base import base_name
from keras_repro.engines.images import image_name
from tests.conftest import BACKENDS
from tests.recorder.test_failures import GOOD

pytestmark = pytest.mark.docker

VERSIONS = "dpkg-query --show --showformat '${Package} ${Version}\n'"


def inspected(name):
    command = ["docker", "image", "inspect", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


def of_dpkg(image):
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", VERSIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split(" ") for line in done.stdout.splitlines())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_names_its_image_its_base_and_debians_packages(backend, tmp_path, keras_repro):
    (tmp_path / "good.py").write_text(GOOD)
    done = keras_repro("train", "good.py", "--backend", backend, "--engine", "docker")
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "artifacts" / "good" / backend / "run.json").read_text())
    known = backends.load()[backend]
    assert facts["image"] == inspected(image_name(known))["Id"]
    base = inspected(base_name(known))
    assert facts["base_image"] == base["Id"]
    digests = [digest.partition("@")[2] for digest in base["RepoDigests"]]
    assert facts["base_digest"] == (digests[0] if digests else None)
    assert facts["debian_packages"] == of_dpkg(facts["image"])
    assert ("g++" in facts["debian_packages"]) is ("g++" in known.apt_packages)


def test_a_run_of_docker_compose_alone_says_what_it_can(scripts):
    run = scripts.record("theano", scripts.write(GOOD))
    assert run.status == 0, run.output
    assert (run.facts["image"], run.facts["base_image"], run.facts["base_digest"]) == (None,) * 3
    assert {"g++", "libc6"} <= set(run.facts["debian_packages"])
