"""What make faults-planted plants still fits the code: running it takes minutes."""

import subprocess

import pytest

from tests.conftest import ROOT

PATCHES = sorted((ROOT / "tests" / "faults" / "planted").glob("*.patch"))


def test_there_are_some():
    assert len(PATCHES) >= 10


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_fault_can_be_planted(patch):
    command = ["git", "apply", "-C1", "--check", patch]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
