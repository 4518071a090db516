"""Without what Linux has and macOS has not: the switch for the other tests, and some with it.

``KERAS_REPRO_TEST_AS=darwin make test PYTEST_ARGS=tests/unit`` runs all that need no container.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.unit.made import make_run

pytestmark = pytest.mark.long

SITE = str(ROOT / "tests" / "as_darwin")
# A part of each place that asks the system for something.
REPRESENTATIVE = (
    "tests/unit/recorder/test_folder.py",
    "tests/unit/studies/train/test_train.py",
    "tests/unit/engines",
)
TAKEN = """
import ctypes, os
found = [name for name in ("sched_getaffinity", "sched_setaffinity") if hasattr(os, name)]
libc = ctypes.CDLL(None)
found += [name for name in ("mallopt", "prctl", "renameat2") if hasattr(libc, name)]
for read in (lambda: open("/proc/self/stat"), lambda: os.open("/proc/cpuinfo", os.O_RDONLY),
             lambda: os.listdir("/proc"), lambda: os.scandir("/proc/self/fd")):
    try:
        read()
        found.append("/proc")
    except FileNotFoundError:
        pass
print(found, hasattr(libc, "getpid"))
"""


def python(*arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
    paths = [SITE, str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_switch_takes_away_what_macos_lacks():
    assert python("-c", TAKEN).stdout == "[] True\n"


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs that differ in an array of 32 MB, and have one in Fortran's order."""
    arrays = {"weights/0": np.zeros((4096, 2048), np.float32), "weights/1": np.eye(3)}
    found = [make_run(tmp_path / "a", arrays)]
    arrays["weights/0"][17, 3] = 1.0
    found.append(make_run(tmp_path / "b", arrays))
    for folder in found:
        with np.load(folder / "arrays.npz") as stored:
            order = {name: np.asfortranarray(stored[name]) for name in stored.files}
        np.savez(folder / "arrays.npz", **order)
    return found


def test_comparing_needs_nothing_of_linux(runs):
    done = python("-m", "keras_repro", "compare", *runs)
    assert done.returncode == 1, done.stderr
    assert "drift" in done.stdout
    assert "identical" in done.stdout


def test_a_representative_part_of_the_tests_passes_so():
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = python("-m", "pytest", *options, *REPRESENTATIVE, KERAS_REPRO_TEST_AS="darwin")
    assert done.returncode == 0, done.stdout[-3000:]
