"""The child process: run the script as ``__main__``, seeded and watched.

Its arguments and what it has to say (steps done, facts, a disk that is full) go through a pipe
to the supervisor, one JSON document a line.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from types import ModuleType
from typing import Any, Callable, Dict, List

from keras_repro.recorder import (
    capture,
    facts,
    import_hooks,
    keras_config,
    layout,
    seeding,
    theano_cache,
)
from keras_repro.recorder.arrays import ArrayWriter, CannotWriteError

PROGRESS_SECONDS = 0.2


def main(argv: List[str]) -> int:
    """Run ``[control fd, staging folder, seed, threads, script, *args]``; return an exit code."""
    control, staging, seed, threads = int(argv[0]), argv[1], int(argv[2]), int(argv[3])
    os.set_inheritable(control, False)

    def say(**message: Any) -> None:
        os.write(control, json.dumps(message).encode() + b"\n")

    try:
        arrays = ArrayWriter(os.path.join(staging, layout.ARRAYS))
        given = ArrayWriter(os.path.join(staging, layout.INPUTS))
        watch = capture.Capture(arrays, given, _now_and_then(lambda steps: say(steps=steps)))
        _install_hooks(watch, seed, threads)
        seeding.seed_python_and_numpy(seed)
        # From here, for a folder of modules may be open to the parent process alone.
        say(started=True, packages=facts.installed_packages(sys.path))
        status = _run_script(argv[4], argv[5:])
        say(script_ended=True)
        if status == 0:
            watch.finish()
            arrays.close()
            given.close()
            if not given.index:
                os.unlink(os.path.join(staging, layout.INPUTS))
            say(
                completed=True,
                steps=watch.steps,
                arrays=arrays.index,
                not_recorded=watch.not_recorded,
                keras=capture.keras_facts(watch.keras),
                determinism=seeding.determinism_facts(),
            )
    except OSError as error:
        say(cannot_write=error.strerror or str(error))
        return layout.EXIT_CANNOT_WRITE
    return status


def _install_hooks(watch: capture.Capture, seed: int, threads: int) -> None:
    def keras(module: ModuleType) -> None:
        keras_config.apply_old_keys(module)
        if "theano" in sys.modules:  # now, with every operation that Keras uses defined
            theano_cache.keep_compiled(sys.modules["theano"])
        watch.watch(module)

    def matplotlib(module: ModuleType) -> None:
        # The script may ask for a window system; there is none, and figures.py stands in.
        module.use = lambda *args, **kwargs: None  # type: ignore[attr-defined]

    hooks: Dict[str, Callable[[ModuleType], None]] = {"keras": keras, "matplotlib": matplotlib}
    hooks.update(seeding.framework_hooks(seed, threads))
    import_hooks.install(hooks)


def _now_and_then(report: Callable[[int], None]) -> Callable[[int], None]:
    last = [0.0]

    def on_step(steps: int) -> None:
        now = time.monotonic()
        if now - last[0] >= PROGRESS_SECONDS:
            last[0] = now
            report(steps)

    return on_step


def _run_script(script: str, args: List[str]) -> int:
    """Run the script as Python would; return the status it would have exited with."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = module
    sys.argv = [script] + args
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except CannotWriteError:
        raise
    except SystemExit as stop:
        return _exit_status(stop)
    except BaseException as error:
        own_frames = 1 if error.__traceback__ and error.__traceback__.tb_next else 0
        inner = error.__traceback__.tb_next if own_frames else error.__traceback__  # type: ignore[union-attr]
        traceback.print_exception(type(error), error, inner)
        return 1
    finally:
        sys.stdout.flush()
    return 0


def _exit_status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.stderr)
    return 1
