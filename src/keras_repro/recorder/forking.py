"""A process that has imported what a script imports, and forks one for each run of it.

It is told through a channel what to import, then of each run; it answers with the number of the
process, whose parent is the supervisor then. It runs nothing of the script's itself.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from types import ModuleType
from typing import Any, Callable, Dict, List, Tuple

from keras_repro.recorder import channel, contract, own_seeds, seeding
from keras_repro.recorder.become import PR_SET_PDEATHSIG
from keras_repro.recorder.ending import end
from keras_repro.recorder.execute import one_line, opened, record, teller
from keras_repro.recorder.imported import apply
from keras_repro.recorder.preloading import CannotForkError, Hidden, Preloading
from keras_repro.recorder.surroundings import FIGURES_VARIABLE
from keras_repro.recorder.task import Task
from keras_repro.recorder.watching import Watching

PR_SET_DUMPABLE = 4  # prctl(2)
ADOPTED_SECONDS = 60.0
MOST_PRINTED = 1 << 16  # bytes, by one import
_exit_at_once = os._exit  # a run replaces it


def main(argv: List[str]) -> int:
    """Prepare for the runs of one task, and fork for each that is asked for; until nobody asks."""
    # Processes of the same user cannot look into this one, nor change it: ptrace(2).
    _prctl(PR_SET_DUMPABLE, 0)
    asking = socket.socket(fileno=int(argv[0]))
    asking.set_inheritable(False)
    first = channel.receive(asking)
    if first is None:
        return 0
    try:
        watching, hidden = _prepared(first[0])
    except CannotForkError as error:
        channel.send(asking, {"problem": str(error)})
        return 1
    except Exception as error:  # of an import, of any kind
        channel.send(asking, {"problem": one_line(error)})
        return 1
    channel.send(asking, {"ready": True})
    os.chdir("/")
    while True:
        asked = channel.receive(asking)
        if asked is None:
            return 0
        document, files = asked
        number = _forked(document, files, asking, watching, hidden)
        for descriptor in files:
            os.close(descriptor)
        channel.send(asking, {"process": number})


def _prepared(document: Dict[str, Any]) -> Tuple[Watching, Hidden]:
    """Import what is asked for, and hide it. Raises CannotForkError."""
    task = Task(**document["task"])
    watching, preloading = Watching(task), Preloading(_printed())
    seeds = seeding.framework_hooks(task.seed, task.threads)

    def ends(name: str, module: ModuleType) -> None:
        seeded = name in seeds and not _is_tensorflow1(module)
        if seeded:
            seeds[name](module)
        preloading.ends(name, seeded)

    watching.install_for_forks(preloading.begins, ends)
    apply(document["variables"])
    seeding.seed_python_and_numpy(task.seed)
    preloading.preload(document["imports"])
    hidden = Hidden(preloading.roots, document["variables"])
    gc.collect()
    gc.freeze()  # what a fork does not touch, it shares
    return watching, hidden


def _printed() -> Callable[[], bytes]:
    """Let what is printed go to a file from now on; return what returns it since the last time."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as this process
    for descriptor in (1, 2):
        os.dup2(file.fileno(), descriptor)

    def since() -> bytes:
        sys.stdout.flush()
        sys.stderr.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        found = os.read(file.fileno(), MOST_PRINTED)
        os.ftruncate(file.fileno(), 0)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return found

    return since


def _is_tensorflow1(module: Any) -> bool:
    """Whether it is a TensorFlow whose seed is a graph's, and to make one starts a thread."""
    return module.__name__ == "tensorflow" and str(module.__version__).startswith("1.")


def _forked(
    document: Dict[str, Any],
    files: List[int],
    asking: socket.socket,
    watching: Watching,
    hidden: Hidden,
) -> int:
    """Fork a process for a run, and give it to the supervisor; return its number."""
    told, telling = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            process = os.fork()
            if process:
                os.write(telling, b"%d" % process)
                _exit_at_once(0)
            asking.close()
            os.close(told)
            os.close(telling)
            _adopted_by(document["parent"])
            _run(document, files, watching, hidden)
        except BaseException:  # no error may lead back into the process that forks
            traceback.print_exc()
        finally:
            _exit_at_once(1)
    os.close(telling)
    number = os.read(told, 20)
    os.close(told)
    os.waitpid(between, 0)
    return int(number)


def _adopted_by(supervisor: int) -> None:
    """Wait until the process between has ended, and end with the supervisor from now on."""
    until = time.monotonic() + ADOPTED_SECONDS
    while os.getppid() != supervisor and time.monotonic() < until:
        time.sleep(0.0005)
    _prctl(PR_SET_DUMPABLE, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it ended meanwhile
        _exit_at_once(1)
    os.setsid()


def _run(document: Dict[str, Any], files: List[int], watching: Watching, hidden: Hidden) -> None:
    """Be the process of a run: become what a new one would be, run the script, and end."""
    log, control = files[:2]
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    os.set_inheritable(control, False)
    staging = "/proc/self/fd/%d" % files[2] if len(files) > 2 else document["task"]["staging"]
    os.environ.clear()
    os.environ.update(document["environment"])
    os.environ[FIGURES_VARIABLE] = os.path.join(staging, contract.FIGURES)
    os.chdir(document["folder"])
    task = Task(**dict(document["task"], control=control, staging=staging))
    say = teller(control)

    def give_up(reason: str) -> None:
        say(not_forked=reason)
        _exit_at_once(1)

    status = contract.EXIT_CANNOT_WRITE
    try:
        places = opened(task)
        hidden.begin(watching, give_up)
        own = own_seeds.install(task.seed) if task.vary_own_seeds else {}
        watching.of_run(task, [own])
        status = record(task, watching, places, say)
    except OSError as error:
        say(cannot_write=error.strerror or str(error))
    end(status, _exit_at_once)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
