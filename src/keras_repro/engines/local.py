"""Run in isolated uv environments on this machine, one per backend, keyed by its lock file."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from filelock import FileLock
from platformdirs import user_cache_path

from keras_repro import backends
from keras_repro.backends import Backend
from keras_repro.engines import Availability, Ended, Job, Say, debian, recorder_arguments
from keras_repro.engines.disk import states
from keras_repro.engines.output import complaint, follow
from keras_repro.engines.recorder_arguments import LAUNCH
from keras_repro.engines.served import SERVE, Pool, Served
from keras_repro.errors import StoppedError, UnavailableError
from keras_repro.numbers.cores import cores
from keras_repro.packages import interpreters
from keras_repro.packages.install import install, make_environment, uninstall
from keras_repro.packages.resolve import DoesNotInstallError, moves
from keras_repro.packages.uv import BUILD_CONSTRAINTS, UvError
from keras_repro.packages.wheels import wheels_alone
from keras_repro.project.conditions import linked
from keras_repro.recorder.contract import QEMU, QEMU_PACKAGE

STOP_SECONDS = 5
LOCK = "requirements.txt"  # of an environment with another lock than the backend's
SIZE = "bytes.txt"
PARTIAL = ".partial"  # what the name of a folder ends with in which an environment is made
EXTRA = "extra-requirements.txt"
# What an environment compiled while it ran, and by what.
COMPILED = ("theano", "theano-headers")
COMPILING = {"theano", "numpy", "scipy"}
# What a run may see of the caller's environment: nothing that could change a number.
PASSED_VARIABLES = ("PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL", "TZ")


class LocalEngine:
    """Builds and uses environments in the user's cache folder."""

    name = "local"
    title = "local environments"

    @property
    def slots(self) -> int:
        """A run a core."""
        return cores()

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()
        self._pool = Pool(self._begin_serving)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """End what is still running."""
        self.stop()

    def problem(self) -> None:
        """Return None: what a backend lacks here, availability() says."""

    def availability(self, backend: Backend) -> Availability:
        """Return whether the interpreter and the commands are there and the environment built."""
        for command in backend.commands:
            if shutil.which(command) is None:
                return Availability(False, f"no {command}", f"install {command}, or use Docker")
        if _is_built(backend):
            return Availability(True, "environment built")
        if interpreters.find(backend.python) is None:
            return Availability(False, f"no Python {backend.python}", _python_remedy(backend))
        return Availability(True, "not built yet", f"keras-repro train --backend {backend.name}")

    def environment_id(self, backend: Backend) -> str | None:
        """Return the environment's key, None where it is not built."""
        return environment_folder(backend).name if _is_built(backend) else None

    def changed_since(self, backend: Backend, image: str | None) -> None:
        """Return None: the lock tells all of an environment."""

    def prepare(self, backend: Backend, say: Say) -> None:
        """Build the environment where there is none; look whether system packages are there."""
        for command in backend.commands:
            if shutil.which(command) is None:
                raise UnavailableError(
                    f"{backend.name} needs {command}, and it is not on PATH; install it "
                    "(Debian: apt-get install g++), or use --engine docker"
                )
        if backend.emulates and shutil.which(QEMU) is None:
            raise UnavailableError(
                f"another processor takes {QEMU}, and it is not on PATH; install it (Debian: "
                f"apt-get install {QEMU_PACKAGE}), or use --engine docker"
            )
        if lacking := debian.problem(backend.system_packages):
            raise UnavailableError(lacking)
        if _is_built(backend):
            return
        folder = environment_folder(backend)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not _is_built(backend):
                self._build(backend, folder, say)

    def run(self, job: Job, say: Say) -> Ended:
        """Run the recorder with the environment's Python, in the workload's folder."""
        if self._stopped.is_set():
            raise StoppedError("interrupted")
        say("starting")
        process = _start(job, [], subprocess.STDOUT)
        self._running.add(process)
        try:
            tail = follow(process, lambda line: None)
            return Ended(process.wait(), complaint(tail))
        finally:
            self._running.discard(process)

    def serve(self, job: Job, alone: bool, say: Say) -> Ended:
        """Execute one run by a recorder that stays for more; see Serving."""
        if self._stopped.is_set():
            raise StoppedError("interrupted")
        say("starting")
        return self._pool.make(job, str(job.out), alone)[0]

    def let_go(self) -> None:
        """End the recorders that stay for more."""
        self._pool.end()

    def _begin_serving(self, job: Job) -> Served:
        process = _start(job, [SERVE], subprocess.PIPE, subprocess.PIPE)
        self._running.add(process)
        return Served(process, lambda: self._running.discard(process))

    def abandon(self, job: Job, reason: str) -> Path | None:
        """Publish as failed what a killed recorder left; return its folder."""
        process = _start(job, ["--abandoned", reason], subprocess.DEVNULL)
        place = follow(process, lambda line: None).strip()
        return Path(place) if process.wait() == 0 and place else None

    def kept(self) -> tuple[int, int]:
        """Return how many environments have another lock, and what they take on the disk."""
        found = _of_other_locks()
        sizes = [path / SIZE for path in found]
        return len(found), sum(int(path.read_text()) for path in sizes if path.is_file())

    def prune(self) -> None:
        """Remove the environments with another lock."""
        for path in _of_other_locks():
            with FileLock(f"{path}.lock"):
                shutil.rmtree(path, ignore_errors=True)

    def stop(self) -> None:
        """Interrupt every run of ours, and kill what is left after that."""
        self._stopped.set()
        self.let_go()
        running = list(self._running)
        for number in (signal.SIGINT, signal.SIGKILL):
            for process in running:
                with suppress(ProcessLookupError):
                    process.send_signal(number)
            until = time.monotonic() + STOP_SECONDS
            while any(process.poll() is None for process in running):
                if time.monotonic() > until:
                    break
                time.sleep(0.1)

    def _build(self, backend: Backend, folder: Path, say: Say) -> None:
        say("looking for Python " + backend.python)
        interpreter = interpreters.find(backend.python)
        if interpreter is None and interpreters.install(backend.python):
            interpreter = interpreters.find(backend.python)
        if interpreter is None:
            raise UnavailableError(
                f"{backend.name} needs Python {backend.python}; {_python_remedy(backend)}"
            )
        # In a place of its own: a uv that outlived a build which was killed still writes to that.
        place = Path(tempfile.mkdtemp(PARTIAL, f"{folder.name}.", folder.parent))
        new = place / folder.name
        base = backend.as_stored
        on_base = bool(backend.other_lock) and backend.python == base.python
        if on_base:
            self.prepare(base, say)
        say("installing packages")
        discard(path for path in _partial(folder) if path != place)
        try:
            if on_base:
                _change(backend, base, new)
            else:
                self._install(backend, new, interpreter)
            _set_up(backend, new)
            if backend.extra:
                install(new, new / EXTRA, "--no-deps", *wheels_alone(backend))
        except UvError as error:
            discard([place])
            problem = f"the packages of {backend.name} do not install: {error.readable}"
            if backend.other_lock and error.of_packages:
                raise DoesNotInstallError(problem) from None
            raise UnavailableError(problem) from None
        _make_read_only(new)
        if backend.other_lock:
            (new / SIZE).write_text(str(_own_bytes(new)))
        new.rename(folder)
        discard([place])

    def _install(self, backend: Backend, new: Path, interpreter: Path) -> None:
        try:
            _fill(backend, new, interpreter)
        except UvError as first:
            if self._stopped.is_set():
                raise
            discard([new])  # with what a uv that was killed left in it
            try:  # PyTorch's build for it, where no wheel folder of the user's has it
                _fill(backend, new, interpreter, f"--torch-backend={backend.accelerator}")
            except UvError:
                raise first from None


def _fill(backend: Backend, new: Path, interpreter: Path, *options: str) -> None:
    """Make an environment and install the backend's lock in it. Raises UvError."""
    make_environment(new, interpreter)
    if backend.other_lock:
        (new / LOCK).write_text(backend.other_lock, encoding="utf-8")
    install(new, _lock(backend, new), "--compile-bytecode", *options)


def _start(
    job: Job, more: list[str], stderr: int, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """Start the recorder with the environment's Python, in the workload's folder."""
    workload, folder = job.workload, environment_folder(job.backend)
    command = [str(folder / "bin" / "python"), "-c", LAUNCH, "--out", str(job.out), *more]
    conditions = workload.conditions.having(data=linked(workload.conditions.data))
    parity = None if job.parity is None else str(job.parity)
    command += recorder_arguments.options(job, conditions, parity)
    command += recorder_arguments.script(job, str(workload.script))
    return subprocess.Popen(
        command,
        cwd=workload.folder,
        env=_environment(job.backend, folder),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def _change(backend: Backend, base: Backend, new: Path) -> None:
    """Make an environment of another one by links, and change what differs.

    Its compiled modules come with it, and take no room: half of the time of a first import.
    """
    source = environment_folder(base)
    own = shutil.ignore_patterns("caches", "keras-home", "recorder", EXTRA, "*.lock")
    shutil.copytree(source, new, symlinks=True, copy_function=os.link, ignore=own)
    (new / LOCK).write_text(backend.other_lock, encoding="utf-8")
    moved = moves(base, backend.without_extra)
    gone = [move.package for move in moved if move.before is not None]
    entries = backends.entries(backend.lock)
    wanted = [entries[move.package] for move in moved if move.after is not None]
    if gone:
        uninstall(new, gone)
    if wanted:
        changed = new / "changed.txt"
        changed.write_text("\n".join(wanted), encoding="utf-8")
        install(new, changed, "--no-deps")
    kept = COMPILED if {move.package for move in moved} & COMPILING else ()
    shutil.copytree(source / "caches", new / "caches", ignore=shutil.ignore_patterns(*kept))


def _own_bytes(environment: Path) -> int:
    """Return what an environment takes on the disk besides what it shares with its base.

    A file of its own has one link, one of the base's more.
    """
    return sum(512 * state.st_blocks for state in states(environment) if state.st_nlink == 1)


def _make_read_only(environment: Path) -> None:
    """Close an environment's files: other ones may be made of links to them."""
    for path in (environment / "lib").rglob("*"):
        state = path.lstat()
        if stat.S_ISREG(state.st_mode):
            path.chmod(stat.S_IMODE(state.st_mode) & ~0o222)


def _of_other_locks() -> list[Path]:
    return [path.parent for path in environments().glob(f"*/{LOCK}")]


def _partial(folder: Path) -> list[Path]:
    """Return where an environment is built, or was when its build was killed."""
    return [path for path in folder.parent.glob(f"{folder.name}.*") if path.name.endswith(PARTIAL)]


def discard(paths: Iterable[Path]) -> None:
    """Remove what is left of builds, as far as that goes; the next one goes on with it."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def environment_folder(backend: Backend) -> Path:
    """Return where the environment for the backend's present lock file lies."""
    parts = (backend.lock.encode(), BUILD_CONSTRAINTS.read_bytes())
    digest = hashlib.sha256(b"\0".join(parts))
    digest.update(backend.python.encode())
    digest.update(backend.extra.encode())
    return environments() / f"{backend.name}-{digest.hexdigest()[:16]}"


def environments() -> Path:
    """Return where every environment lies."""
    return user_cache_path("keras-repro") / "environments"


def numeric_classes() -> Path:
    """Return where the numeric classes of all environments are kept."""
    return user_cache_path("keras-repro") / "numeric-class"


def _lock(backend: Backend, folder: Path) -> Path:
    return folder / LOCK if backend.other_lock else backend.requirements


def _is_built(backend: Backend) -> bool:
    return (environment_folder(backend) / "bin" / "python").exists()


def _set_up(backend: Backend, folder: Path) -> None:
    """Give the environment a Keras home, caches, and the lock of its extra packages."""
    for name in ("keras-home", "caches"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copyfile(backend.folder / "keras.json", folder / "keras-home" / "keras.json")
    if backend.extra:
        (folder / EXTRA).write_text(backend.extra, encoding="utf-8")
    headers = folder / "caches" / "theano-headers"
    if backend.keras_backend == "theano" and not headers.exists():
        # It saves time alone: where there is no g++, nothing is lost.
        make = ("-m", "keras_repro.recorder.theano_compiler", str(headers))
        subprocess.run(
            [folder / "bin" / "python", *make],
            env=_environment(backend, folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


def _recorder_path(folder: Path) -> Path:
    """Return a folder to import from that holds this package and nothing of its dependencies."""
    package = backends.FOLDER.parent
    # One for each installation: two that run at once must not get each other's recorder.
    key = hashlib.sha256(os.fsencode(package)).hexdigest()[:16]
    path = folder / "recorder" / key
    link = path / "keras_repro"
    if not link.is_symlink() or link.resolve() != package:
        path.mkdir(parents=True, exist_ok=True)
        new = path / f".new-{os.getpid()}-{threading.get_ident()}"
        new.symlink_to(package)
        new.replace(link)
    return path


def _environment(backend: Backend, folder: Path) -> dict[str, str]:
    caches = folder / "caches"
    return {
        **{name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ},
        "PYTHONPATH": str(_recorder_path(folder)),
        "KERAS_HOME": str(folder / "keras-home"),
        "MPLCONFIGDIR": str(caches / "matplotlib"),
        "THEANO_FLAGS": f"compiledir={caches / 'theano'}",
        "KERAS_REPRO_THEANO_HEADERS": str(caches / "theano-headers"),
        "KERAS_REPRO_ENGINE": "local",
        "KERAS_REPRO_REQUIREMENTS": str(_lock(backend, folder)),
        # What is installed for a trial or two is not worth the time.
        **({} if backend.other_lock else {"KERAS_REPRO_CLASS_CACHE": str(numeric_classes())}),
        **({"KERAS_REPRO_EXTRA_REQUIREMENTS": str(folder / EXTRA)} if backend.extra else {}),
    }


def _python_remedy(backend: Backend) -> str:
    return (
        f"install it (pyenv install {backend.python}, or uv python install {backend.python}), "
        "or use --engine docker"
    )
