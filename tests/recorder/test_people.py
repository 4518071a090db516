"""Scripts as people write them run unmodified wherever their Keras accepts them, bit for bit.

``make people`` has each of them run on every backend; else each runs on one, which the commit
decides.
"""

import json
import os
import random
import shutil
import subprocess

import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS, ROOT, chosen_backends

FOLDER = ROOT / "tests" / "scripts" / "people"
OLD, NEW = ("theano", "tensorflow1"), ("tensorflow", "jax", "torch")

# Where each runs; and elsewhere, the error of the framework's that its failed run quotes.
SCRIPTS = {
    "arguments": (BACKENDS, ""),
    "package": (BACKENDS, ""),
    "beside": (BACKENDS, ""),
    "generators": (BACKENDS, ""),
    "checkpoints": (BACKENDS, ""),
    "custom_keras2": (OLD, "ModuleNotFoundError: No module named 'keras.engine'"),
    "custom_keras3": (NEW, "ImportError: cannot import name 'ops' from 'keras'"),
    "keras1": (OLD, "ModuleNotFoundError: No module named 'keras.layers.core'"),
    "tf_data": (("tensorflow",), "No module named 'tensorflow'"),
    "tape_loop": (("tensorflow",), "No module named 'tensorflow'"),
    "data_loader": (("torch",), "ModuleNotFoundError: No module named 'torch'"),
    "torch_loop": (("torch",), "ModuleNotFoundError: No module named 'torch'"),
}
WITHOUT_TENSORFLOW = ("tf_data", "tape_loop")  # where there is one, but an old one, it fails later
EVERYWHERE = "KERAS_REPRO_TEST_EVERYWHERE" in os.environ


def commit():
    head = ("git", "-C", ROOT, "rev-parse", "HEAD")
    return subprocess.run(head, capture_output=True, check=False).stdout


def chosen(pairs):
    """Return the pairs of a script and a backend that run: of each script one, or all."""
    draw = random.Random(commit())
    of = {}
    for name, backend in pairs:
        if backend in chosen_backends():
            of.setdefault(name, []).append(backend)
    return [
        (name, backend)
        for name, accepting in of.items()
        for backend in (accepting if EVERYWHERE else [draw.choice(accepting)])
    ]


RUNS = chosen((name, backend) for name, (accepting, _) in SCRIPTS.items() for backend in accepting)
FAILS = chosen(
    (name, backend)
    for name, (accepting, _) in SCRIPTS.items()
    for backend in BACKENDS
    if backend not in accepting and not (name in WITHOUT_TENSORFLOW and backend == "tensorflow1")
)


@pytest.fixture
def project(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "project")


def facts(project, name, backend):
    return json.loads((project / "artifacts" / name / backend / contract.FACTS).read_text())


@pytest.mark.parametrize(("name", "backend"), RUNS)
def test_it_runs_and_repeats(name, backend, project, engine, keras_repro):
    options = ("--backend", backend, "--engine", engine, "--repeat", "2")
    done = keras_repro("train", name, *options, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same bits" in done.stdout
    known = facts(project, name, backend)
    assert known["steps"] >= 4
    assert any(array.startswith("costs/train") for array in known["arrays"])
    assert any(array.startswith("weights/") for array in known["arrays"])


@pytest.mark.parametrize(("name", "backend"), FAILS)
def test_elsewhere_the_frameworks_error_is_quoted_in_one_line(
    name, backend, project, engine, keras_repro
):
    done = keras_repro("train", name, "--backend", backend, "--engine", engine, cwd=project)
    assert done.returncode == 4, done.stdout + done.stderr
    assert SCRIPTS[name][1] in facts(project, name, backend)["reason"]
    [line] = [text for text in done.stdout.splitlines() if text.startswith(f"{backend}: exit")]
    assert SCRIPTS[name][1] in line


def test_what_a_script_writes_is_kept_and_its_modules_are_known(
    project, engine, keras_repro, a_backend
):
    before = sorted(path for path in project.rglob("*"))
    for name in ("arguments", "checkpoints", "beside", "package"):
        options = ("--backend", a_backend, "--engine", engine)
        assert keras_repro("train", name, *options, cwd=project).returncode == 0
    assert facts(project, "arguments", a_backend)["files"].keys() == {"out/fitted.csv"}
    kept = project / "artifacts" / "arguments" / a_backend / "files" / "out" / "fitted.csv"
    assert len(kept.read_text().splitlines()) == 12
    written = facts(project, "checkpoints", a_backend)["files"]
    assert written.keys() == {"best.weights.h5", "model.h5", "training.csv"}
    assert facts(project, "beside", a_backend)["modules"].keys() == {"helpers.py"}
    modules = facts(project, "package", a_backend)["modules"]
    assert modules.keys() == {"package/__init__.py", "package/nets.py"}
    shutil.rmtree(project / "artifacts")
    assert sorted(path for path in project.rglob("*")) == before


def test_a_module_beside_the_script_that_changed_makes_its_run_stale(
    project, engine, keras_repro, a_backend
):
    command = ("train", "beside", "--backend", a_backend, "--engine", engine, "--if-needed")
    keras_repro(*command, cwd=project)
    assert "up to date" in keras_repro(*command, cwd=project).stdout
    accepted = keras_repro(
        "accept", "beside", "--backend", a_backend, "--yes", "--reason", "test", cwd=project
    )
    assert accepted.returncode == 0, accepted.stderr
    helpers = project / "helpers.py"
    helpers.write_text(helpers.read_text().replace("x.sum", "2 * x.sum"))
    assert "up to date" not in keras_repro(*command, cwd=project).stdout
    checked = keras_repro("check", "beside", "--backend", a_backend, cwd=project)
    assert checked.returncode == 1
    assert "likely cause: module helpers.py" in checked.stdout


def test_a_module_by_m_on_the_command_line(project, engine, keras_repro, a_backend):
    options = ("--backend", a_backend, "--engine", engine)
    done = keras_repro("train", "-m", "package.train", *options, "--", "2", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    known = facts(project, "package.train", a_backend)
    assert known["module"] == "package.train"
    assert known["script_args"] == ["2"]
    assert known["arrays"]["weights/0.dense.kernel"]["shape"] == [2, 2]
