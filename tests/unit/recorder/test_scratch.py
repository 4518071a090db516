"""The folder of a run that was killed goes with a later run, and no other."""

import os
import subprocess
import sys
import tempfile

import pytest

from keras_repro.recorder.scratch import scratch

KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from keras_repro.recorder.scratch import scratch
with scratch() as folder:
    open(os.path.join(folder, "kept"), "w").close()
    print(folder, flush=True)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), 9)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(place, what):
    source = os.path.dirname(os.path.dirname(os.path.dirname(scratch.__code__.co_filename)))
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, source, what],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_a_killed_run_left_goes_and_what_another_uses_stays(place):
    with start(place, "kill") as killed, start(place, "live") as live:
        left, used = killed.stdout.readline().strip(), live.stdout.readline().strip()
        killed.wait()
        for folder in (left, used):
            os.utime(folder, (0, 0))
        (place / "keras-repro-somebody's file").write_text("mine")
        with scratch() as own:
            assert not os.path.exists(left)
            assert os.path.exists(os.path.join(used, "kept"))
            assert os.path.isdir(own)
        assert not os.path.exists(own)
        live.stdin.close()
    assert [path.name for path in place.iterdir()] == ["keras-repro-somebody's file"]
