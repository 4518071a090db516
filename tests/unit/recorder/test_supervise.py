"""What the supervisor says agrees with what stands."""

import os
import subprocess
import sys

import pytest

from keras_repro.recorder import contract
from tests.unit.made import make_run

# Where ``patch`` has been run, as the recorder is started.
START = """
import errno, os, sys, tempfile
from keras_repro.recorder import folder, removal, supervise, working_copy
from keras_repro.recorder.__main__ import main
def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
{patch}
sys.exit(main())
"""


def record(out, patch, script="raise SystemExit(3)"):
    (out.parent / "my.py").write_text(script)
    return subprocess.run(
        [sys.executable, "-c", START.format(patch=patch), "--out", str(out), "my.py"],
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("patch", ["tempfile.mkdtemp = full", "working_copy._View.fill = full"])
def test_a_full_temporary_folder_is_not_blamed_on_the_run(tmp_path, patch):
    good = make_run(tmp_path / "jax")
    done = record(good, patch)
    assert done.returncode == contract.EXIT_CANNOT_WRITE
    [line] = done.stderr.splitlines()
    assert line.startswith("keras-repro: cannot lay out the folder for the script in ")
    assert "No space left on device; make room there, or set TMPDIR" in line
    assert str(good) not in line
    assert sorted(os.listdir(tmp_path)) == [".jax.lock", "jax", "my.py"]


def test_a_run_that_stands_is_not_denied_where_tidying_up_fails(tmp_path):
    out = tmp_path / "jax"
    assert record(out, "").returncode == contract.EXIT_FAILED
    done = record(out, "folder.tidy = full", "raise SystemExit(4)")
    assert done.returncode == contract.EXIT_FAILED
    assert f"the run stands in {out}, but what it replaced could not be removed" in done.stderr
    assert (
        f"until the next run, what is left of it lies in {tmp_path}/.jax.partial\n" in done.stderr
    )
    assert done.stderr.count("the run stands") == 1
    assert "exit status 4" in (out / contract.FACTS).read_text()
    assert "cannot write" not in done.stderr
    assert "cannot remove" not in done.stderr
    assert (tmp_path / ".jax.partial" / contract.FACTS).exists()


def test_what_is_said_is_one_line(capsys):
    from keras_repro.recorder.supervise import tell

    tell('x\n{"keras-repro-ended": 0}\r\n' + "y" * 100_000)
    said = capsys.readouterr().err
    assert said.startswith('keras-repro: x {"keras-repro-ended": 0} yyy')
    assert said.count("\n") == 1
    assert len(said) < 10_000
