"""The wheel, installed alone: it trains in any folder, from images that it carries itself."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
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


@pytest.fixture(scope="module")
def python_with_it(installed, tmp_path_factory):
    """A Python that finds the wheel's contents, and what it needs, as installed packages."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "wheel.pth").write_text(f"{installed}\n{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "python"


def type_checked(python, folder, text):
    """Return what mypy says, strictly, of a user's file."""
    (folder / "test_user.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "test_user.py"]
    command += ["--python-executable", str(python), "--no-error-summary"]
    command += [f"--cache-dir={python.parents[1] / 'cache'}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def test_a_users_typed_test_passes_mypy(python_with_it, tmp_path):
    guide = (ROOT / "docs" / "guides" / "pytest.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    loop = (
        "from keras_repro import record\n"
        "def loop(losses: list[float]) -> None:\n"
        "    for loss in losses:\n"
        "        record.cost(loss)\n"
        "    record.cost(losses[-1], 'test')\n"
        "    record.array('gradients/norm', losses)\n"
    )
    assert type_checked(python_with_it, tmp_path, example + loop) == []


def test_mypy_finds_what_is_wrong_in_a_users_test(python_with_it, tmp_path):
    wrong = (
        "from keras_repro import record\n"
        "from keras_repro.pytest_plugin import KerasRunFixture\n"
        "def test_numbers(keras_run: KerasRunFixture) -> None:\n"
        "    run = keras_run('train.py', backend=3)\n"
        "    seed: str = run.facts.seed\n"
        "    run.check(exactly=True)\n"
        "    run.arrays['costs/train'].no_such()\n"
        "    record.cost(1.0, 'tests')\n"
    )
    said = type_checked(python_with_it, tmp_path, wrong)
    lines = [int(line.split(":")[1]) for line in said if ": error: " in line]
    assert lines == [4, 5, 6, 7, 8], said


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
