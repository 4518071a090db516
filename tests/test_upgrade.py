"""Previews of an upgrade through the command line: what moves, what becomes of the numbers."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from keras_repro import backends
from keras_repro.packages import apply, resolve
from keras_repro.project import configuration
from tests.conftest import without_progress
from tests.planted_index import PlantedIndex
from tests.recorder.test_failures import GOOD
from tests.searched import SCRIPT, STAND_IN

JAX = backends.load()["jax"]
PIN = JAX.pins["matplotlib"]
OTHER = "3.10.0"  # of matplotlib: it draws, and changes no number
# Where no number is looked at: compiling a model's step takes as long as importing Keras.
QUICK = SCRIPT.replace("import planted\n", "").replace(" * planted.VALUE", "")


def git(folder, *arguments):
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    done = subprocess.run(
        ["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Where a script lies with its baseline, once there is one."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def project(tmp_path, keras_repro, trained):
    """A project in git of one script, with its baseline."""
    if not (trained / "my.py").exists():
        (trained / ".gitignore").write_text("artifacts\n")
        (trained / "my.py").write_text(GOOD)
        for arguments in (("train", "my.py"), ("accept", "my.py", "--yes", "--reason", "first")):
            options = ("--engine", "local") if arguments[0] == "train" else ()
            done = keras_repro(*arguments, "--backend", "jax", *options, cwd=trained)
            assert done.returncode == 0, done.stderr
    shutil.copytree(trained, tmp_path, symlinks=True, dirs_exist_ok=True)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_preview_changes_nothing_and_apply_writes_the_lock(project, keras_repro):
    upgrade = (
        "upgrade",
        "my.py",
        "--backend",
        "jax",
        "--with",
        f"matplotlib=={OTHER}",
        "--engine",
        "local",
    )
    done = keras_repro(*upgrade)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"matplotlib +{PIN} +{OTHER} +asked for", done.stdout)
    assert re.search(r"costs/train +identical", done.stdout)
    assert "1 of 1 backends as their baselines" in done.stdout
    assert git(project, "status", "--porcelain", "--ignored") == "!! artifacts/\n"
    done = keras_repro(*upgrade, "--apply")
    assert "wrote locks/jax.txt" in done.stdout
    assert "keras-repro accept my.py --backend jax" in done.stdout
    assert git(project, "status", "--porcelain") == "?? locks/\n"
    assert f"matplotlib=={OTHER} \\\n    --hash=sha256:" in (project / "locks/jax.txt").read_text()
    # From now on the project's own lock holds.
    assert configuration.load(folder=project).select(("jax",))[0].locked["matplotlib"] == OTHER
    done = keras_repro("train", "my.py", "--backend", "jax", "--engine", "local")
    assert done.returncode == 0, done.stderr
    done = keras_repro("check", "my.py", "--backend", "jax", "--format", "json")
    assert done.returncode == 0
    assert f"matplotlib {PIN} -> {OTHER}" in done.stdout or OTHER in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_preview_changes_nothing(project, number):
    command = [
        sys.executable,
        "-m",
        "keras_repro",
        "upgrade",
        "my.py",
        "--backend",
        "jax",
        "--apply",
    ]
    command += ["--with", f"matplotlib=={OTHER}", "--engine", "local"]
    (project / "my.py").write_text(GOOD.replace("import", "import time; time.sleep(1)\nimport", 1))
    git(project, "commit", "-qam", "slower")
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "99"}
    ) as process:
        for line in process.stdout:
            if line.startswith("my: "):
                os.kill(process.pid, number)
                break
    assert process.returncode != 0
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--backend", "jax"), "--with"),
        (("--backend", "jax", "--with", "keras>>3"), "--with 'keras>>3' is no requirement"),
        (("--backend", "jax", "--with", "keras @ file:///x"), "names an address"),
        (("--backend", "jax", "--with", "keras==3.15.99"), "has no release keras==3.15.99"),
        (("--backend", "jax", "--with", "nothing-of-that-name-there"), "has no package"),
        (("--backend", "jax", "--with", "numpy==1.20.0"), "not install on jax: it has no wheel"),
        (("--backend", "nowhere", "--with", "keras"), "no backend 'nowhere'"),
        (("nowhere", "--with", "keras"), "--backend"),
        (("--with", "keras"), "--backend"),
        (
            ("nothing.py", "--backend", "jax", "--with", "keras"),
            "cannot read the script nothing.py",
        ),
    ],
)
def test_bad_input_is_one_line(keras_repro, arguments, says):
    done = keras_repro("upgrade", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(without_progress(done.stderr)) == 1


def test_the_backend_may_still_be_the_first_argument_and_a_line_says_how_it_is_written(keras_repro):
    done = keras_repro("upgrade", "jax", "nothing.py", "--with", "keras")
    assert done.returncode == 2
    [spelling, problem] = without_progress(done.stderr)
    assert "write keras-repro upgrade --backend jax" in spelling
    assert "cannot read the script nothing.py" in problem


def test_why_a_package_moves_is_said(keras_repro, tmp_path):
    """JAX and its library move together."""
    (tmp_path / "my.py").write_text(QUICK)
    done = keras_repro(
        "upgrade", "my.py", "--backend", "jax", "--with", "jax==0.9.2", "--engine", "local"
    )
    assert re.search(r"jaxlib +\S+ +0\.9\.2 +jax==0\.9\.2 needs jaxlib", done.stdout), done.stdout
    assert done.returncode == 3  # no baseline
    assert "accept the present run" in done.stderr + done.stdout


def test_a_package_that_was_not_there_is_kept_by_the_lock(keras_repro, tmp_path):
    index = PlantedIndex(tmp_path / "index")
    index.release("planted", "1.0", 1.0)
    index.release("planted", "1.1", 1.0)
    (tmp_path / "my.py").write_text(SCRIPT)
    (tmp_path / "keras.py").write_text(STAND_IN)
    options = ("--engine", "local", "--apply")
    wanted = ("--with", "planted<1.1", "--with", "planted>=1.0")  # both hold
    done = keras_repro("upgrade", "my.py", "--backend", "jax", *wanted, *options, **index.variables)
    assert "wrote locks/jax.txt" in done.stdout, done.stdout + done.stderr
    other = ("--with", f"matplotlib=={OTHER}")
    done = keras_repro("upgrade", "my.py", "--backend", "jax", *other, *options, **index.variables)
    assert "wrote locks/jax.txt" in done.stdout, done.stdout + done.stderr
    lock = configuration.load(folder=tmp_path).select(("jax",))[0].locked
    assert (lock["planted"], lock["matplotlib"]) == ("1.0", OTHER)
    assert str(tmp_path) not in (tmp_path / "locks" / "jax.txt").read_text()
    assert "requirements.in" in (tmp_path / "locks" / "jax.txt").read_text()
    # The newest is looked for anew.
    index.release("planted", "1.2", 1.0)
    done = keras_repro(
        "upgrade", "my.py", "--backend", "jax", "--with", "planted", **index.variables
    )
    assert re.search(r"planted +1\.0 +1\.2 +asked for", done.stdout), done.stdout


def test_nothing_moves(keras_repro, tmp_path):
    (tmp_path / "my.py").write_text(QUICK)
    (tmp_path / "keras.py").write_text(STAND_IN)
    wanted = f"keras=={JAX.pins['keras']}"
    done = keras_repro(
        "upgrade", "my.py", "--backend", "jax", "--with", wanted, "--engine", "local"
    )
    assert f"nothing moves: jax is as {wanted} asks already" in done.stdout


def test_a_damaged_lock_is_one_line(keras_repro, tmp_path):
    (tmp_path / "locks").mkdir()
    for text, says in (("numpy==2.0.0\n", "numpy has no hash"), ("# none\n", "it locks nothing")):
        (tmp_path / "locks" / "jax.txt").write_text(text)
        done = keras_repro("train", "regression", "--backend", "jax")
        assert done.returncode == 2
        assert says in done.stderr
        assert len(without_progress(done.stderr)) == 1


def test_in_its_own_repository_the_backends_own_files_are_written(tmp_path, monkeypatch):
    folder = tmp_path / "src" / "keras_repro" / "backends"
    shutil.copytree(backends.FOLDER, folder)
    monkeypatch.setattr(backends, "FOLDER", folder)
    assert not apply.is_own(tmp_path)  # an environment in a user's project looks like this
    (tmp_path / "docker-compose.yml").touch()
    assert apply.is_own(tmp_path)
    jax = backends.load()["jax"]
    wanted = [resolve.requirement("keras==3.14.1")]
    after = resolve.changed(jax, wanted)
    written = apply.write(after, wanted, tmp_path, tmp_path / "locks")
    names = {"requirements.in", "requirements.txt", "backend.toml"}
    assert {path.name for path in written} == names
    assert {path.parent for path in written} == {folder / "jax"}
    new = backends.load()["jax"]
    assert new.pins["keras"] == "3.14.1"
    assert new.title == "Keras 3.14.1 on JAX 0.10.2"
    others = {name: version for name, version in jax.locked.items() if name != "keras"}
    assert {name: version for name, version in new.locked.items() if name != "keras"} == others
    assert "# via" in new.lock  # as keras-repro lock writes it
    assert not (tmp_path / "locks").exists()
