"""The child process: run the script as ``__main__``, seeded and watched.

Its arguments and what it has to say (steps done, facts, a disk that is full) go through a pipe
to the supervisor, one JSON document a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import runpy
import sys
import threading
import time
import traceback
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from keras_repro.recorder import (
    active,
    contract,
    facts,
    guard,
    import_hooks,
    keras_config,
    seeding,
    surroundings,
    theano_blas,
    theano_cache,
    theano_march,
)
from keras_repro.recorder.arrays import ArrayWriter, CannotWriteError
from keras_repro.recorder.parity.probe import Probe
from keras_repro.recorder.parity.problems import ParityError
from keras_repro.recorder.trail.files import Files
from keras_repro.recorder.trail.generators import Imports
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.watch import changes, loaders, loops, tf_keras
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.keras_methods import KerasMethods
from keras_repro.recorder.watch.spool import Spool

PROGRESS_SECONDS = 0.2
LONGEST_ERROR = 400
IDLE_SECONDS = 5.0  # without a training step


class Task(NamedTuple):
    """What the supervisor asks for, as it comes over the command line: one JSON document."""

    control: int
    staging: str
    seed: int
    threads: int
    script: str
    module: Any  # its name, or None
    args: List[str]
    parity: Any  # None, "reference", or the reference's file
    data_statistics: bool  # whether the trail has figures of the data
    protected: List[str]  # folders of the user's
    emulated: bool  # whether this is another processor than g++ would find


def main(argv: List[str]) -> int:
    """Run the one task in ``argv``; return an exit code."""
    task = Task(**json.loads(argv[0]))
    control, staging, seed = task.control, task.staging, task.seed
    folder = os.getcwd()  # the script may go elsewhere
    os.set_inheritable(control, False)
    process = os.getpid()

    def say(**message: Any) -> None:
        if os.getpid() != process:  # a fork of the script's: its numbers are not the script's own
            message = {"forks_trained": True} if "steps" in message else {}
        os.write(control, json.dumps(message).encode() + b"\n")

    try:
        arrays = ArrayWriter(os.path.join(staging, contract.ARRAYS))
        given = ArrayWriter(os.path.join(staging, contract.INPUTS))
        probe = None
        if task.parity is not None:
            reference = None if task.parity == contract.PARITY_REFERENCE else task.parity
            probe = Probe(staging, reference)
        report = _now_and_then(lambda steps: say(steps=steps))
        trail = Trail(task.data_statistics)
        watch = Capture(arrays, given, Spool(staging), trail, report)
        active.capture = watch
        network = surroundings.NetworkUse()
        surroundings.answer_nobody()
        imports = Imports(trail)
        before = [imports.before()]
        before += [] if probe is None else [{"keras": probe.about_to_import}]
        before += [{"theano": theano_march.compile_for_it}] if task.emulated else []
        _install_hooks(watch, network, seed, task.threads, probe, imports, before)
        seeding.seed_python_and_numpy(seed)
        # From here, for a folder of modules may be open to the parent process alone.
        say(started=True, packages=facts.installed_packages(sys.path))
        if task.protected:
            guard.protect(task.protected, [staging, os.path.dirname(folder)])
        Files(trail, folder, os.environ["HOME"], lambda: watch.steps).watch()
        imports.script_begins()
        status, error = _run(task)
        say(script_ended=True, error=error, network=network.addresses)
        if status == 0 and os.getpid() == process:
            _wait_for_threads(watch)
            watch.finish()
            arrays.close()
            given.close()
            _write(os.path.join(staging, contract.TRAIL), trail.text())
            if not given.index:
                os.unlink(os.path.join(staging, contract.INPUTS))
            if probe is not None:
                probe.finish()
            say(
                completed=True,
                steps=watch.steps,
                arrays=arrays.index,
                not_recorded=watch.not_recorded,
                keras=facts.keras_facts(watch.keras),
                determinism=seeding.determinism_facts(),
                modules=facts.modules_below(folder, task.script),
                had_processes=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0,
            )
    except OSError as error:
        say(cannot_write=error.strerror or str(error))
        return contract.EXIT_CANNOT_WRITE
    return status


def _install_hooks(
    watch: Capture,
    network: surroundings.NetworkUse,
    seed: int,
    threads: int,
    probe: Optional[Probe],
    imports: Imports,
    before: List[Dict[str, Callable[[], None]]],
) -> None:
    def keras(module: ModuleType) -> None:
        keras_config.apply_old_keys(module)
        if "theano" in sys.modules:  # now, with every operation that Keras uses defined
            theano_blas.without_blas(sys.modules["theano"])
            theano_cache.keep_compiled(sys.modules["theano"])
        if probe is not None:
            probe.watch(module)
        watch.use(module)
        # A Keras that is made otherwise ends no script.
        watch.guarded("initial weights", changes.watch, watch, module)
        watch.guarded("what Keras computes", KerasMethods(watch, module, probe).watch)

    def matplotlib(module: ModuleType) -> None:
        # The script may ask for a window system; there is none, and figures.py stands in.
        module.use = lambda *args, **kwargs: None  # type: ignore[attr-defined]

    import_hooks.install(
        [
            {"keras": keras, "matplotlib": matplotlib},
            seeding.framework_hooks(seed, threads),
            network.hooks(),
            *loops.hooks(watch),
            tf_keras.hooks(watch),
            loaders.hooks(watch),
            imports.after(),  # once the framework is seeded
        ],
        before,
    )


def _wait_for_threads(watch: Capture) -> None:
    """Wait for the script's threads, as Python does at its end, for as long as they train.

    Others may wait for the interpreter's end themselves, those of a pool say.
    """
    steps, until = watch.steps, time.monotonic() + IDLE_SECONDS
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.daemon:
            continue
        while thread.is_alive() and time.monotonic() < until:
            thread.join(0.05)
            if watch.steps != steps:
                steps, until = watch.steps, time.monotonic() + IDLE_SECONDS


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)


def _now_and_then(report: Callable[[int], None]) -> Callable[[int], None]:
    last = (0, 0.0)

    def on_step(steps: int) -> None:
        nonlocal last
        process, now = os.getpid(), time.monotonic()
        if process != last[0] or now - last[1] >= PROGRESS_SECONDS:  # at once in a fork
            last = (process, now)
            report(steps)

    return on_step


def _run(task: Task) -> Tuple[int, str]:
    """Run the script as Python would; return the status it would have exited with, and its error.

    The error is one line, and empty where it ended well.
    """
    try:
        if task.module:
            _run_module(task.module, task.args)
        else:
            _run_script(task.script, task.args)
    except CannotWriteError:
        raise
    except SystemExit as stop:
        return _exit_status(stop)
    except BaseException as error:
        traceback.print_exception(type(error), error, _own_frames(error))
        return 1, one_line(error)
    finally:
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or taken away
            sys.stdout.flush()
    return 0, ""


def _run_script(script: str, args: List[str]) -> None:
    module = ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = module
    sys.argv = [script] + args
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec", dont_inherit=True)
    exec(code, module.__dict__)


def _run_module(name: str, args: List[str]) -> None:
    sys.argv = [name] + args  # runpy puts the file's path in the first place
    sys.path.insert(0, os.getcwd())
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _own_frames(error: BaseException) -> Any:
    """Return the traceback from the script's first frame on: ours and runpy's tell nothing."""
    frames: Any = error.__traceback__
    while frames is not None and (
        frames.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>")
    ):
        frames = frames.tb_next
    return frames


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in one line, as Python's own last line begins.

    What is said of parity goes without its type, which tells a script's author nothing.
    """
    lines = traceback.format_exception_only(type(error), error)
    # Notes come last (PEP 678): JAX puts one under every error, and it tells nothing of it.
    notes = "\n".join(map(str, getattr(error, "__notes__", ())))
    text = lines[-1 - len(notes.split("\n"))] if notes else lines[-1]
    if isinstance(error, ParityError):
        text = str(error)
    text = re.sub(r"\x1b\[[\d;]*m", "", text)  # Keras 3 writes in colours
    return " ".join(text.split())[:LONGEST_ERROR]


def _exit_status(stop: SystemExit) -> Tuple[int, str]:
    if stop.code is None:
        return 0, ""
    if isinstance(stop.code, int):
        return stop.code & 0xFF, ""
    print(stop.code, file=sys.stderr)
    return 1, " ".join(str(stop.code).split())[:LONGEST_ERROR]
