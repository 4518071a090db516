"""train says what its recorder could not tidy up, as it stands on this machine's disk.

The engine is the local one, whole, and so is the recorder; its environment is this Python, where
something of the recorder's is replaced at its start.
"""

import os
import shlex
import sys
from pathlib import Path

import pytest

from keras_repro import backends
from keras_repro.engines.local import environment_folder
from tests.conftest import ROOT

pytestmark = pytest.mark.long

[JAX] = backends.select(("jax",))
FULL = """
def full(*args, **kwargs):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))
"""
KEPT = "folder.tidy = full"
# What the recorder does where the failed run alone cannot be moved.
FAILED_KEPT = "folder.tidy = lambda out, place: folder.clear(contract.staging_folder(out), place)"
SAYS = "jax: the run stands, but what it replaced could not be removed; until the next run, what"
FAKED = f"keras-repro: {SAYS} is left of it lies in artifacts/my/.jax.partial"


@pytest.fixture
def train(tmp_path, monkeypatch, keras_repro):
    """Train ``my.py`` by the command line, its recorder patched.

    Where no script is given, it stands for one that trains well.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    python = environment_folder(JAX) / "bin" / "python"
    python.parent.mkdir(parents=True)
    (python.parents[1] / "keras-home").mkdir()
    (tmp_path / "site").mkdir()
    paths = os.pathsep.join(map(shlex.quote, (str(tmp_path / "site"), str(ROOT))))
    python.write_text(
        f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH":{paths} FAULTS_SCRIPT=completed '
        f'exec {shlex.quote(sys.executable)} "$@"\n'
    )
    python.chmod(0o755)

    def run(patch="", *options, script=None):
        (tmp_path / "my.py").write_text("" if script is None else script)
        if script is None:
            patch += "\nfrom tests.faults.publish import MadeUpChild\nsupervise.Child = MadeUpChild"
        (tmp_path / "site" / "sitecustomize.py").write_text(
            "import errno, os\nfrom keras_repro.recorder import contract, folder, supervise\n"
            f"{FULL}{patch}\n"
        )
        return keras_repro("train", "my.py", "--backend", "jax", "--engine", "local", *options)

    return run


def notes(done) -> list[str]:
    return [line for line in done.stdout.splitlines() if "could not be removed" in line]


def beside(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "artifacts" / "my"))


def test_what_a_good_run_replaced_and_could_not_be_removed(train, tmp_path):
    done = train(KEPT)
    assert (done.returncode, notes(done)) == (0, []), done  # it replaced nothing
    done = train(KEPT)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert notes(done) == [f"{SAYS} is left of it lies in artifacts/my/.jax.partial"]
    assert beside(tmp_path) == [".jax.lock", ".jax.partial", "jax"]
    done = train()
    assert (done.returncode, notes(done)) == (0, [])
    assert beside(tmp_path) == [".jax.lock", "jax"]


def test_what_a_failed_run_replaced_and_could_not_be_removed(train, tmp_path):
    train(script="raise SystemExit(3)")
    done = train(KEPT, script="raise SystemExit(4)")
    assert done.returncode == 4, done
    assert "exit status 4" in done.stdout
    assert notes(done) == [f"{SAYS} is left of it lies in artifacts/my/.jax.partial"]
    assert beside(tmp_path) == [".jax.lock", ".jax.partial", "jax"]


def test_a_failed_run_that_a_good_one_could_not_remove(train, tmp_path):
    train()
    done = train(script="raise SystemExit(3)")
    assert done.returncode == 4
    assert notes(done) == []  # it is to stand beside the good one
    failed = tmp_path / "artifacts" / "my" / "jax.failed"
    done = train(FAILED_KEPT)
    assert done.returncode == 0, done
    assert notes(done) == [f"{SAYS} is left of it lies in artifacts/my/jax.failed"]
    assert failed.is_dir()
    assert notes(train()) == []
    assert not failed.exists()


def test_what_a_run_replaced_whose_recorder_was_killed(train, tmp_path):
    train(script="raise SystemExit(3)")
    killing = "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)"
    done = train(KEPT, script=killing)
    assert done.returncode == 4, done
    assert f"log: {tmp_path}/artifacts/my/jax/log.txt" in done.stdout
    assert notes(done) == [f"{SAYS} is left of it lies in artifacts/my/.jax.partial"]


def test_no_script_can_say_it(train):
    fake = f"print({FAKED!r}, flush=True)"
    for _ in range(2):
        done = train(script=f"{fake}\nprint('the last line')\nraise SystemExit(3)")
        assert (done.returncode, notes(done)) == (4, []), done
    for _ in range(2):  # whose output goes the same way
        done = train(fake)
        assert (done.returncode, notes(done)) == (0, []), done


def test_what_the_first_of_several_runs_could_not_remove(train, tmp_path):
    train()
    done = train(KEPT, "--repeat", "2")
    assert done.returncode == 0, done
    assert notes(done) == [f"{SAYS} is left of it lies in artifacts/my/.jax.partial"]
    assert beside(tmp_path) == [".jax.lock", ".jax.partial", ".jax.repeat.lock", "jax"]
