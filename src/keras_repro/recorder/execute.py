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
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from keras_repro.recorder import contract, facts, guard, own_seeds, seeding
from keras_repro.recorder.arrays import ArrayWriter, CannotWriteError, Limits
from keras_repro.recorder.ending import let_go_at_exit
from keras_repro.recorder.imported import Imported
from keras_repro.recorder.parity.problems import ParityError
from keras_repro.recorder.task import Task
from keras_repro.recorder.trail.files import Files
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.spool import Spool
from keras_repro.recorder.watching import Watching

PROGRESS_SECONDS = 0.2
LONGEST_ERROR = 400
IDLE_SECONDS = 5.0  # without a training step

Say = Callable[..., None]


class Places(NamedTuple):
    """Where a run is kept: its arrays, what models were given, and what waits for its name."""

    arrays: ArrayWriter
    given: ArrayWriter
    spool: Spool


def main(argv: List[str]) -> int:
    """Run the one task in ``argv``; return an exit code."""
    task = Task(**json.loads(argv[0]))
    os.set_inheritable(task.control, False)
    say = teller(task.control)
    try:
        places = opened(task)
        watching = Watching(task)
        around = _surroundings(task)
        own = own_seeds.install(task.seed) if task.vary_own_seeds else {}
        imported = Imported() if task.tells_imports else None
        watching.install([around, own], [] if imported is None else [imported.before()])
        return record(task, watching, places, say, imported)
    except OSError as error:
        say(cannot_write=error.strerror or str(error))
        return contract.EXIT_CANNOT_WRITE


def teller(control: int) -> Say:
    """Return what tells the supervisor something, from this process."""
    process = os.getpid()

    def say(**message: Any) -> None:
        if os.getpid() != process:  # a fork of the script's: its numbers are not the script's own
            message = {"forks_trained": True} if "steps" in message else {}
        os.write(control, json.dumps(message).encode() + b"\n")

    return say


def opened(task: Task) -> Places:
    """Open where a run is kept. Raises OSError."""
    given = ArrayWriter(os.path.join(task.staging, contract.INPUTS))
    return Places(_array_writer(task), given, Spool(task.staging))


def record(
    task: Task, watching: Watching, places: Places, say: Say, imported: Optional[Imported] = None
) -> int:
    """Run the script, watched by what is installed by now, to its end; return an exit code.

    Raises:
        OSError: the run cannot be written.
    """
    folder, process = os.getcwd(), os.getpid()  # the script may go elsewhere
    watch, trail = watching.capture, watching.trail
    report = _now_and_then(lambda steps: say(steps=steps))
    watch.keep_in(places.arrays, places.given, places.spool, report)
    seeding.seed_python_and_numpy(task.seed)
    # From here, for a folder of modules may be open to the parent process alone.
    say(started=True, packages=facts.installed_packages(sys.path))
    if task.protected:
        home = os.environ["HOME"]
        guard.protect(task.protected, [task.staging, os.path.dirname(folder), home])
    Files(trail, folder, os.environ["HOME"], lambda: watch.steps).watch()

    def end(status: int, error: str, at_once: bool = False) -> None:
        say(script_ended=True, error=error, network=watching.network.addresses)
        if status != 0 or os.getpid() != process:
            return
        if not at_once:
            _wait_for_threads(watch)
        watch.finish()
        _close(task.staging, places, trail)
        if watching.probe is not None:
            watching.probe.finish()
        say(
            completed=True,
            steps=watch.steps,
            arrays=places.arrays.index,
            summaries=places.arrays.summaries,
            not_recorded=watch.not_recorded,
            planted=watch.models.planted.where,
            keras=facts.keras_facts(watch.keras),
            determinism=seeding.determinism_facts(),
            modules=facts.modules_below(folder, task.script),
            had_processes=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0,
            **({} if imported is None else imported.told()),
        )

    _before_exit_at_once(process, end, say)
    let_go_at_exit(folder)
    watching.imports.script_begins()
    with _umask(task.surroundings):
        status, error = _run(task)
    end(status, error)
    return status


def _array_writer(task: Task) -> ArrayWriter:
    path = os.path.join(task.staging, contract.ARRAYS)
    if task.parity is not None:  # which compares the weights of backends with each other, whole
        return ArrayWriter(path)
    samples = os.path.join(task.staging, contract.SAMPLES)
    return ArrayWriter(path, Limits(task.array_limit, task.arrays_limit), samples)


def _surroundings(task: Task) -> Dict[str, Any]:
    """Change what the script finds around it, where that is asked for; return import hooks."""
    if not task.hermetic and not task.surroundings:
        return {}
    from keras_repro.recorder.hermetic.install import install  # noqa: PLC0415 - few runs need it

    return install(task.seed, task.hermetic, task.surroundings)


@contextlib.contextmanager
def _umask(changes: Dict[str, str]) -> Iterator[None]:
    """Have files made with the rights that are asked for, for a time."""
    before = os.umask(int(changes["umask"], 8)) if "umask" in changes else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


def _before_exit_at_once(
    process: int, end: Callable[[int, str, bool], None], say: Callable[..., None]
) -> None:
    """End the record where the script leaves by ``os._exit``, which nothing else would see."""
    exit_at_once = os._exit
    ending: List[bool] = []

    def leave(status: int = 0) -> None:
        try:
            if os.getpid() == process and not ending:
                ending.append(True)
                end(status, "", True)
        except OSError as error:
            say(cannot_write=error.strerror or str(error))
            status = contract.EXIT_CANNOT_WRITE
        finally:
            exit_at_once(status)

    os._exit = leave  # type: ignore[assignment]


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


def _close(staging: str, places: Places, trail: Trail) -> None:
    places.arrays.close()
    places.given.close()
    if not places.given.index:
        os.unlink(os.path.join(staging, contract.INPUTS))
    with open(os.path.join(staging, contract.TRAIL), "x", encoding="utf-8") as file:
        file.write(trail.text())


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
