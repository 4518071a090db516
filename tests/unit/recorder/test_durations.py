"""How long a script ran, however it ended."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keras_repro.recorder import contract

pytestmark = pytest.mark.long


def durations(folder: Path, script: str, *options: str) -> dict[str, float]:
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "keras_repro.recorder", "--out", folder / "run", *options]
    done = subprocess.run([*command, "script.py"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == contract.EXIT_FAILED, done.stderr
    return json.loads((folder / "run" / contract.FACTS).read_text())["durations"]


@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("import os\nos._exit(0)\n", ()),
        ("import os\nos._exit(3)\n", ()),
        ("import time\ntime.sleep(60)\n", ("--time-limit", "2")),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", ()),
        ("raise ValueError\n", ()),
    ],
)
def test_no_time_is_negative(tmp_path, script, options):
    found = durations(tmp_path, script, *options)
    assert 0 <= found["script"] <= found["total"]


def test_a_script_that_its_limit_ended_ran_until_then(tmp_path):
    found = durations(tmp_path, "import time\ntime.sleep(60)\n", "--time-limit", "3")
    assert found["script"] > 0.5
