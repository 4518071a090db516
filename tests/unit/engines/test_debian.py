"""The local engine installs no system package: it looks whether each is there."""

import os

import pytest

from keras_repro import backends
from keras_repro.engines import debian
from keras_repro.engines.local import LocalEngine
from keras_repro.errors import UnavailableError

[JAX] = backends.select(("jax",))
# As dpkg-query prints it: installed, held, removed but for its settings, and half installed.
THERE = """ii  graphviz 2.42.2-7
hi  libgl1 1.6.0-1
rc  ffmpeg 7:5.1
iU  sox 14.4.2
"""


@pytest.fixture
def dpkg(tmp_path, monkeypatch):
    """Put a dpkg-query of our own before this machine's; return what it was asked."""
    program = tmp_path / "dpkg-query"
    program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'X'\n{THERE}X\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "asked"


def test_what_is_installed_is_there(dpkg):
    assert debian.installed() == {"graphviz": "2.42.2-7", "libgl1": "1.6.0-1"}
    assert debian.problem(("graphviz", "libgl1=1.6.0-1")) is None
    assert debian.problem(()) is None


def test_no_name_of_a_package_reaches_a_command(dpkg):
    debian.problem(("graphviz",))
    assert "graphviz" not in dpkg.read_text()


@pytest.mark.parametrize("missing", ["ffmpeg", "sox", "git-none", "graphviz=2.50"])
def test_what_is_not_there_is_refused_before_anything_is_made(dpkg, missing):
    backend = JAX.model_copy(update={"system_packages": ("libgl1", missing)})
    with LocalEngine() as engine, pytest.raises(UnavailableError) as caught:
        engine.prepare(backend, pytest.fail)
    assert str(caught.value) == (
        f"the script needs Debian's {missing}, not installed on this machine; install what is "
        f"missing (apt-get install {missing}), or use --engine docker"
    )


def test_a_train_that_lacks_one_ends_with_one_line_and_exit_code_5(dpkg, keras_repro, tmp_path):
    (tmp_path / "train.py").write_text("raise SystemExit('it must not run')")
    options = ("--backend", "jax", "--engine", "local", "--system-package", "ffmpeg")
    done = keras_repro("train", "train.py", *options, PATH=os.environ["PATH"])
    assert done.returncode == 5
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "ffmpeg" in line]
    assert line.startswith("jax: the script needs Debian's ffmpeg, not installed on this machine")
    assert not (tmp_path / "artifacts" / "train").exists()


def test_where_nothing_can_tell_nothing_is_refused(monkeypatch):
    for asked in (("no-such-program",), ("false",)):
        monkeypatch.setattr(debian, "ASK", asked)
        assert debian.problem(("graphviz",)) is None
