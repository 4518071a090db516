"""Run command lines of the keras-repro that this Python imports, each in a fork of its own.

    python -P tests/serve.py

A line of JSON asks for a command: its arguments, folder, environment and the files for its input
and output; a line of JSON answers with its exit code. What takes long, the imports, is done once.
This file knows nothing of keras-repro but its name, and nothing of these tests: it runs under the
old version as well.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import threading
import traceback

IMPORTED_LATE = (
    *("matplotlib.pyplot", "matplotlib.backends.backend_svg", "rich.progress"),
    *("scipy.ndimage", "scipy.special", "scipy.stats"),
)
LEFT_ALONE = ("__main__", "pytest_plugin", "recorder", "workloads")


def preload() -> str:
    """Import all that a command may import; return where keras-repro lies."""
    import keras_repro

    os.environ.setdefault("MPLBACKEND", "Agg")
    for module in pkgutil.walk_packages(keras_repro.__path__, "keras_repro."):
        if not set(module.name.split(".")) & set(LEFT_ALONE):
            importlib.import_module(module.name)
    for name in IMPORTED_LATE:
        with contextlib.suppress(ImportError):  # what the old version does without
            importlib.import_module(name)
    return os.path.dirname(os.path.abspath(keras_repro.__file__))


def child(asked: dict) -> None:
    """Become the command."""
    signal.alarm(asked["seconds"])
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["variables"])
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, flags in enumerate((os.O_RDONLY, writing, writing)):
        opened = os.open(asked["streams"][number], flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it is the process's own
    sys.argv = ["keras-repro", *asked["arguments"]]
    sys.path[:] = ["", *sys.path]
    sys.modules.pop(f"{asked['program']}.__main__", None)
    code: object = 0
    try:
        runpy.run_module(asked["program"], run_name="__main__", alter_sys=False)
    except SystemExit as ending:
        code = ending.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # as a program ends, but for the objects, which take as long again
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code if isinstance(code, int) else 1)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    package = preload()
    gc.freeze()  # a fork is to leave their pages alone
    print(json.dumps({"package": package}), file=answers, flush=True)
    for line in sys.stdin.buffer:
        process = os.fork()
        if process == 0:
            answers.close()
            child(json.loads(line))
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"exit": os.waitstatus_to_exitcode(status)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
