"""The pytest plugin, in a project of its own."""

import os
import subprocess
import sys

import pytest

from tests.recorder.test_failures import GOOD

TESTS = """
def test_numbers(keras_run):
    run = keras_run("train.py", backend="{backend}")
    assert run.arrays["costs/train"].shape == (3,)
    assert run.facts.seed == 1337
    run.check()


def test_another_seed(keras_run):
    keras_run("train.py", backend="{backend}", seed=7).check()


def test_that_fails(keras_run):
    keras_run("broken.py", backend="{backend}")


def test_of_no_such_backend(keras_run):
    keras_run("train.py", backend="caffe")
"""
CONFIG = """
[workloads.steady]
script = "train.py"
backends = ["{backend}"]
"""


@pytest.fixture
def project(tmp_path, a_backend):
    (tmp_path / "train.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("raise ValueError('broken here')\n")
    (tmp_path / "test_numbers.py").write_text(TESTS.format(backend=a_backend))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run_pytest(project, engine, *options):
    # Where the engine under test is not the one that answers, it must not be found.
    nowhere = {"DOCKER_HOST": "unix:///nowhere.sock"} if engine == "local" else {}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=project,
        env={**os.environ, "COLUMNS": "100", **nowhere},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def accept(project, keras_repro, name, a_backend):
    options = ("--backend", a_backend, "--yes", "--reason", "first")
    assert keras_repro("accept", name, *options, cwd=project).returncode == 0


def test_the_fixture(project, engine, a_backend, keras_repro):
    first = run_pytest(project, engine, "-k", "test_numbers and not seed")
    assert "no baseline in" in first.stdout
    accept(project, keras_repro, "train.py", a_backend)
    done = run_pytest(project, engine, "-n", "2")
    assert "3 failed, 1 passed" in done.stdout, done.stdout
    assert "likely cause: seed 1337 -> 7" in done.stdout  # the table is the failure's message
    assert "ValueError: broken here" in done.stdout
    assert "no backend 'caffe'" in done.stdout
    assert "Traceback" not in done.stdout


def test_workloads_as_tests(project, engine, a_backend, keras_repro):
    assert "no keras-repro.toml" in run_pytest(project, engine, "--keras-repro").stderr
    (project / "keras-repro.toml").write_text(CONFIG.format(backend=a_backend))
    options = ("--keras-repro", "-k", "steady")
    done = run_pytest(project, engine, *options)
    assert "no baseline in" in done.stdout
    accept(project, keras_repro, "steady", a_backend)
    done = run_pytest(project, engine, *options, "-v")
    assert f"keras-repro.toml::steady[{a_backend}] PASSED" in done.stdout, done.stdout
    assert "1 passed" in done.stdout
    assert "1 passed" in run_pytest(project, engine, *options, "-n", "2").stdout
    assert "steady" not in run_pytest(project, engine, "--collect-only", "-q").stdout
    (project / "keras-repro.toml").write_text("[workloads.steady]\nscripts = 1\n")
    broken = run_pytest(project, engine, *options).stdout
    assert "keras-repro.toml:2: workloads.steady.scripts: there is no such key" in broken
