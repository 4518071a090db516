"""A script that does not end well leaves a failed run, and the last good one untouched."""

import os
import signal
import subprocess
import sys
import time

import pytest

from keras_repro.recorder import contract

GOOD = """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
model = Sequential([Dense(1, input_shape=(1,))])
model.compile(loss="mse", optimizer="sgd")
x = np.arange(4.0).reshape(-1, 1)
for _ in range(3):
    model.train_on_batch(x, 2 * x)
"""


@pytest.mark.parametrize(
    ("ending", "reason", "in_log"),
    [
        ("raise RuntimeError('out of luck')", "RuntimeError: out of luck", "Traceback (most rec"),
        ("import sys; sys.exit(3)", "exit status 3", "exit status 3"),
        ("import sys; sys.exit('no data')", "no data", "no data"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL", "SIGKILL"),
        ("import ctypes; ctypes.CDLL(None)._exit(0)", "os._exit", "os._exit"),
        ("def broken(:", "SyntaxError", "SyntaxError"),
        ("input()", "EOFError", "EOFError"),
    ],
    ids=["raises", "exits", "exits with words", "is killed", "_exit", "syntax", "asks"],
)
def test_a_failed_run_says_why_and_replaces_nothing(ending, reason, in_log, a_backend, scripts):
    script = scripts.write(GOOD)
    good = scripts.record(a_backend, script)
    assert good.status == 0, good.output
    before = {path.name: path.read_bytes() for path in good.out.iterdir() if path.is_file()}

    script.write_text(GOOD + ending)
    failed = scripts.record(a_backend, script)
    assert failed.status == contract.EXIT_FAILED
    assert failed.failed_facts["outcome"] == "failed"
    assert reason in failed.failed_facts["reason"]
    assert failed.failed_facts["seed"] == contract.Conditions().seed
    kept = failed.out.with_name(failed.out.name + ".failed")
    assert in_log in (kept / contract.LOG).read_text()
    assert not (kept / contract.ARRAYS).exists()
    after = {path.name: path.read_bytes() for path in good.out.iterdir() if path.is_file()}
    assert after == before

    # The next good run clears the failed one away.
    script.write_text(GOOD)
    assert scripts.record(a_backend, script).status == 0
    assert not kept.exists()


def test_a_module_beside_the_script_does_not_shadow_the_recorders(a_backend, scripts):
    for name in ("argparse", "zipfile", "selectors"):
        scripts.write("raise SystemExit('shadowed')\n", f"{name}.py")
    (scripts.folder / "inner").mkdir(mode=0o755)
    script = scripts.write(GOOD, "inner/script.py")
    if scripts.engine == "local":
        assert scripts.record(a_backend, script).status == 0
    else:
        recorded = scripts.record(a_backend, script, folder=scripts.folder)
        assert recorded.status == 0, recorded.output


def test_a_script_that_ignores_the_signal_is_ended_all_the_same(tmp_path):
    """With the recorder alone, on this Python: what it runs needs no framework."""
    script = tmp_path / "stubborn.py"
    script.write_text(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('PID', os.getpid(), flush=True)\ntime.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_repro.recorder", "--out", tmp_path / "out", script],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        child = int(process.stdout.readline().split()[1])
        for _ in range(2):  # twice: the second must not cut the first short
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.wait(20) == contract.EXIT_INTERRUPTED
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert not (tmp_path / "out").exists()


def test_the_traceback_is_the_scripts_own(a_backend, scripts):
    script = scripts.write("def inner():\n    raise ValueError('here')\n\ninner()\n")
    failed = scripts.record(a_backend, script)
    assert failed.facts["outcome"] == "failed"  # nothing good stands there, so it takes the place
    frames = [line for line in failed.log.splitlines() if line.strip().startswith("File ")]
    assert ["script.py" in frame for frame in frames] == [True, True]


def test_a_script_without_keras_is_no_run(a_backend, scripts):
    failed = scripts.record(a_backend, scripts.write("print('hello')\n"))
    assert failed.status == contract.EXIT_FAILED
    assert "never imported Keras" in failed.facts["reason"]


def test_keras_in_a_process_that_the_script_starts_is_said(a_backend, scripts):
    text = "import subprocess, sys\nsubprocess.check_call([sys.executable, '-c', 'import keras'])\n"
    failed = scripts.record(a_backend, scripts.write(text))
    assert failed.status == contract.EXIT_FAILED
    assert "the processes that it started are not watched" in failed.facts["reason"]


def test_a_script_that_trains_nothing_is_no_run(a_backend, scripts):
    failed = scripts.record(a_backend, scripts.write("import keras\n"))
    assert failed.status == contract.EXIT_FAILED
    assert "nothing to keep" in failed.facts["reason"]


def test_a_process_left_behind_does_not_hold_the_run(a_backend, scripts):
    script = scripts.write(
        GOOD + "import subprocess\nsubprocess.Popen(['sleep', '600'])\n", "leaves.py"
    )
    assert scripts.record(a_backend, script).status == 0


def test_what_the_script_shows_is_saved_as_png(a_backend, scripts):
    script = scripts.write(
        "import matplotlib\n"
        "matplotlib.use('TkAgg')\n"  # a window system that is not there
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2]); plt.show()\n"
        "plt.figure(); plt.plot([2, 1]); plt.figure(); plt.plot([3]); plt.show()\n"
        "plt.figure(); plt.plot([3])\n" + GOOD
    )
    recorded = scripts.record(a_backend, script)
    assert recorded.status == 0, recorded.output
    figures = sorted((recorded.out / contract.FIGURES).iterdir())
    assert [path.name for path in figures] == ["01.png", "02.png", "03.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n") for path in figures)


def test_facts_say_what_the_numbers_come_from(a_backend, scripts):
    recorded = scripts.record(a_backend, scripts.write(GOOD), "--lr", "0.1")
    facts = recorded.facts
    assert facts["schema_version"] == contract.SCHEMA_VERSION
    assert facts["outcome"] == "completed"
    assert facts["backend"] == a_backend
    assert facts["keras"]["version"] == facts["packages"]["keras"]
    assert facts["script"] == "script.py"
    assert facts["script_args"] == ["--lr", "0.1"]
    assert facts["steps"] == 3
    assert facts["environment"]["PYTHONHASHSEED"] == str(contract.Conditions().seed)
    assert facts["environment"]["OMP_NUM_THREADS"] == "1"
    assert facts["cpu"]["model"]
    assert len(facts["requirements_sha256"]) == 64
    assert facts["durations"]["total"] >= facts["durations"]["script"] > 0
    assert facts["arrays"]["costs/train"] == {"dtype": "float32", "shape": [3]}
