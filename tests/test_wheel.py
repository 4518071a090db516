"""The wheel, installed alone: it trains in any folder, from images that it carries itself."""

import os
import subprocess
import sys
import zipfile

import pytest
from uv import find_uv_bin

from tests.conftest import ROOT
from tests.recorder.test_failures import GOOD


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the wheel's contents, from which alone keras_repro is imported."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(folder)]
    command = [find_uv_bin(), *build, "--python", sys.executable, str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def run(installed, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "keras_repro", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_it_is_the_wheel_that_runs(installed, tmp_path):
    code = "import keras_repro; print(keras_repro.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(installed / "keras_repro" / "__init__.py")


def test_it_trains_in_an_empty_folder(installed, tmp_path, engine, a_backend):
    (tmp_path / "my.py").write_text(GOOD + "model.save('model.h5')\n")
    options = ("--backend", a_backend, "--engine", engine)
    done = run(installed, tmp_path, "train", "my.py", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "artifacts" / "my" / a_backend / "files" / "model.h5").is_file()
    done = run(
        installed, tmp_path, "accept", "my.py", "--backend", a_backend, "--yes", "--reason", "first"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "baselines" / "my" / a_backend / "baseline.json").is_file()
    done = run(installed, tmp_path, "check", "my.py", "--backend", a_backend, "--exact")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.docker
def test_it_carries_all_that_the_images_are_made_of(installed, tmp_path):
    """The sources' hash is that of the repository: the same images serve both."""
    code = (
        "from keras_repro import backends\n"
        "from keras_repro.engines.docker import source_sha256\n"
        "print(*(source_sha256(backend) for backend in backends.load().values()))"
    )
    hashes = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for path in (installed, ROOT / "src")
    ]
    assert hashes[0] == hashes[1]


@pytest.mark.docker
def test_its_images_build(installed, tmp_path):
    """From the wheel's own files, by Compose: what it lacked, the build would not find."""
    container = installed / "keras_repro" / "container"
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(container), "build", "theano"],
        cwd=tmp_path,
        env={
            **os.environ,
            "KERAS_REPRO_PACKAGE": str(installed / "keras_repro"),
            "KERAS_REPRO_DOCKERFILE": str(container / "Dockerfile"),
            "KERAS_REPRO_TAG": "of-a-wheel",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    subprocess.run(
        ["docker", "image", "rm", "keras-repro/theano:of-a-wheel"], capture_output=True, check=True
    )
