"""Bad input ends in one clear line and the documented exit code, never in a traceback."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, without_progress


def check_one_line(done, code, *words):
    assert done.returncode == code, done.stdout + done.stderr
    said = without_progress(done.stderr)
    assert len(said) == 1, done.stderr
    assert said[0].startswith("keras-repro: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("command", ["train", "check", "accept"])
def test_unknown_backend(keras_repro, command):
    extra = ("--reason", "x") if command == "accept" else ()
    done = keras_repro(command, "--backend", "caffe", *extra)
    check_one_line(done, 2, "'caffe'", "theano")


@pytest.mark.parametrize("command", ["train", "check"])
def test_script_that_is_not_there_or_a_folder(keras_repro, tmp_path, command):
    check_one_line(keras_repro(command, "nothing.py"), 2, "nothing.py", "no such file")
    check_one_line(keras_repro(command, tmp_path), 2, str(tmp_path), "is a folder")


@pytest.mark.parametrize("seed", ["-1", "4294967296", "abc", "1.5", ""])
def test_seed(keras_repro, seed):
    check_one_line(keras_repro("train", f"--seed={seed}"), 2, "seed", "4294967295")


def test_engine_and_option_that_do_not_exist(keras_repro):
    check_one_line(keras_repro("train", "--engine", "podman"), 2, "podman", "docker")
    check_one_line(keras_repro("train", "--sede", "1"), 2, "--sede")


def test_artifacts_that_are_a_file(keras_repro, tmp_path):
    (tmp_path / "file").write_text("")
    done = keras_repro("train", "--engine", "local", "--artifacts", "file")
    check_one_line(done, 2, "file", "--artifacts")


def test_artifacts_that_cannot_be_written(keras_repro):
    done = keras_repro("train", "--engine", "local", "--artifacts", "/proc/nowhere")
    check_one_line(done, 7, "/proc/nowhere", "--artifacts")


def test_docker_that_does_not_answer(keras_repro):
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = keras_repro("train", "--engine", "docker", **nowhere)
    check_one_line(done, 5, "no Docker engine answers", "--engine local")
    said = keras_repro("backends", **nowhere)
    assert said.returncode == 0
    assert "local environments, because no Docker engine answers" in said.stdout


def test_a_python_that_is_nowhere_is_said_with_the_remedy(keras_repro, tmp_path):
    """No interpreter on PATH or in pyenv, and uv may not download one."""
    done = keras_repro(
        *("train", "--engine", "local", "--backend", "tensorflow1"),
        PATH="/nowhere",
        PYENV_ROOT=str(tmp_path),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        UV_PYTHON_INSTALL_DIR=str(tmp_path / "pythons"),
        UV_PYTHON_DOWNLOADS="never",
    )
    assert done.returncode == 5
    assert "needs Python 3.7" in done.stdout
    assert "pyenv install 3.7" in done.stdout
    listed = keras_repro(
        *("backends", "--engine", "local"),
        PATH="/nowhere",
        PYENV_ROOT=str(tmp_path),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        UV_PYTHON_INSTALL_DIR=str(tmp_path / "pythons"),
    )
    assert "no Python 3.7" in listed.stdout
    assert "no g++" in listed.stdout


def test_a_reader_that_goes_away(tmp_path):
    command = f"{sys.executable} -m keras_repro backends --engine local | true"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "x", "nothing.py"), "nothing.py"),
        (("--out", "x", "--seed", "-1", "a.py"), "--seed: '-1'"),
        (("--out", "x", "--threads", "0", "a.py"), "'0'"),
        (("--seed", "1"), "--out DIR"),
        (("--out", "x", "."), "is a folder"),
    ],
)
def test_the_recorder_itself(arguments, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "keras_repro.recorder", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    check_one_line(done, 2, words)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("flag", ["--force-regen", "--regen-all"])
def test_pytest_regressions_may_not_write_a_baseline(flag):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", flag, "tests/test_regression.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "make baselines REASON=" in done.stderr
