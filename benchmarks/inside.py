"""Run scripts bare and recorded by turns, inside a backend's environment; print JSON.

python inside.py OUT SCRIPT ...: for each script the seconds and the peak memory in MB of either,
and the seconds that the trail took of the recorded one. OUT is where the runs go. Python 3.7.
"""

import atexit
import functools
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

# What the trail does: entered from outside of it, each by its module, class and method.
OF_THE_TRAIL = (
    ("trail.data", "Data", ("given", "called", "batch", "done", "finish", "_next", "_add")),
    ("trail.data", "Drawn", ("add",)),
    ("trail.files", "Files", ("_look_at",)),
    ("trail.generators", "Imports", ("script_begins", "_begin", "_end")),
    ("trail.trail", "Trail", ("text",)),
    ("watch.told_weights", "ToldWeights", ("begin", "step_done")),
    ("watch.capture", None, ("states",)),
)
MARK = "seconds of the trail:"
# Printed by the script's process at its end, into its log.
TIMED = """
import atexit, runpy
runpy.run_path(%r)["time_the_trail"]()
"""
RECORDER = """
import sys
from keras_repro.recorder import beginning
beginning.LAUNCH = %r + beginning.LAUNCH
from keras_repro.recorder.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def time_the_trail():
    """Count the time within the trail's functions, and print it when the process ends."""
    spent, depth = [0.0], [0]

    def timed(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            depth[0] += 1
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                depth[0] -= 1
                if depth[0] == 0:
                    spent[0] += time.perf_counter() - started

        return call

    for module, name, methods in OF_THE_TRAIL:
        place = importlib.import_module("keras_repro.recorder." + module)
        place = place if name is None else getattr(place, name)
        for method in methods:
            setattr(place, method, timed(getattr(place, method)))
    atexit.register(lambda: print(MARK, spent[0], flush=True))


def measured(command, environment, folder):
    """Return the seconds and the peak memory in MB of a command: of its largest process."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    said = process.stderr.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit("{}: {}".format(" ".join(command)[-200:], said[-2000:]))
    return time.monotonic() - started, usage.ru_maxrss / 1024


def main(out, scripts):
    """Measure each script, once bare and once recorded after a first time that warms the caches."""
    environment = dict(os.environ, PYTHONHASHSEED="1337", OMP_NUM_THREADS="1", MPLBACKEND="Agg")
    prelude = TIMED % os.path.abspath(__file__)
    for script in scripts:
        bare = [sys.executable, script]
        recorded = [sys.executable, "-c", RECORDER % prelude, "--out", out, script]
        measured_bare = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as place:  # which the script may write to
                shutil.copytree(os.curdir, place + "/work")
                measured_bare = measured(bare, environment, place + "/work")
        watched = measured(recorded, environment, os.curdir)
        with open(os.path.join(out, "log.txt"), errors="replace") as file:
            trail = float(re.findall(re.escape(MARK) + r" (\S+)", file.read())[-1])
        print(json.dumps([script, measured_bare, watched, trail]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
