"""What there is to train: workloads, as the command line or a configuration names them."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Tolerances
from keras_repro.errors import UsageError
from keras_repro.recorder import contract
from keras_repro.recorder.__main__ import DEFAULT_SCRIPT, module_file

# What a container is made of: nothing of the user's can be shown there.
SYSTEM_FOLDERS = tuple(
    Path(name)
    for name in (
        *("/artifacts", "/bin", "/cache", "/dev", "/etc", "/lib", "/lib64", "/opt/keras-repro"),
        *("/opt/venv", "/proc", "/run", "/sbin", "/sys", "/usr", "/work"),
    )
)


@dataclass(frozen=True)
class Data:
    """Data to show to a script: a folder or file of this machine, and the place it is seen at.

    A place is absolute, relative to the script's working folder, or below ``~``.
    """

    place: str
    source: Path

    @property
    def is_linked(self) -> bool:
        """Whether the recorder links it to its place; an absolute path is itself."""
        return self.place != str(self.source)


@dataclass(frozen=True)
class Workload:
    """A script to train, and all that is asked of its runs.

    ``folder`` is where it runs, absolute. ``script`` is its file, relative to that folder where it
    lies below; ``module`` its name where it is run as ``python -m`` does. No backends means all of
    them. Limits are in seconds and bytes. ``argument`` is how the user names it.
    """

    name: str
    folder: Path
    script: Path
    module: str | None = None
    args: tuple[str, ...] = ()
    seed: int = contract.DEFAULT_SEED
    threads: int = 1
    backends: tuple[str, ...] = ()
    requirement_files: tuple[Path, ...] = ()
    requirements: tuple[str, ...] = ()
    data: tuple[Data, ...] = ()
    datasets: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    memory_limit: int | None = None
    files_limit: int = contract.DEFAULT_FILES_LIMIT
    tolerances: dict[str, Tolerances] = field(default_factory=dict)
    argument: str = ""

    @property
    def script_path(self) -> Path:
        """The script's file, absolute."""
        return self.folder / self.script

    @property
    def is_builtin(self) -> bool:
        """Whether the script is one of those that come with keras-repro."""
        return self.script_path.parent == BUILTIN


BUILTIN = Path(DEFAULT_SCRIPT).parent


def builtin_names() -> list[str]:
    """Return the names of the workloads that come with keras-repro."""
    return sorted(path.stem for path in BUILTIN.glob("*.py") if path.stem != "__init__")


def builtin(name: str, argument: str) -> Workload:
    """Return a workload that comes with keras-repro; it runs in the present folder."""
    return Workload(name, Path.cwd(), BUILTIN / f"{name}.py", argument=argument)


def from_script(script: str, folder: Path | None = None) -> Workload:
    """Return the workload that is a script's file, as seen from a folder, the present by default.

    It runs in that folder where the script lies below it, else in its own.

    Raises:
        UsageError: there is no such file, or it cannot be read.
    """
    folder = (folder or Path.cwd()).resolve()
    path = readable(script, folder)
    if not path.resolve().is_relative_to(folder):  # elsewhere, or a link to there
        path = path.resolve()
        folder = path.parent
    name = contract.workload_name(script)
    return Workload(name, folder, path.relative_to(folder), argument=script)


def from_module(module: str, folder: Path) -> Workload:
    """Return the workload that ``python -m module`` runs in ``folder``.

    Raises:
        UsageError: there is no such module below the folder.
    """
    if not re.fullmatch(r"\w+(\.\w+)*", module):
        raise UsageError(f"-m {module!r} is no module's name; write it as in: python -m {module}")
    file = Path(module_file(module, str(folder)))
    if not (folder / file).is_file():
        raise UsageError(
            f"no module {module!r}: there is no {folder / file}; run it where it can be found"
        )
    return Workload(module, folder, file, module, argument=f"-m {module}")


def readable(script: str, folder: Path) -> Path:
    """Return the script's absolute path, or raise UsageError where it cannot be read."""
    path = folder / script
    try:
        if path.is_dir():
            raise UsageError(f"{script} is a folder; name a Python script")
        path.open("rb").close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read the script {script}: {why.lower()}") from None
    return path.parent.resolve() / path.name


def data(text: str, folder: Path) -> list[Data]:
    """Return how the data that a user names are shown: relative paths begin at ``folder``.

    Raises:
        UsageError: they are not there, or a container cannot show them where they are.
    """
    path = _expanded(text)
    source = Path(os.path.normpath(folder / path))
    if not source.exists():
        raise UsageError(f"no data in {text}: no such file or folder; name what is there")
    if folder.is_relative_to(source):
        raise UsageError(f"{text} holds the script's own folder; name the data alone")
    if ":" in str(source):
        raise UsageError(f"{text} has a colon in its path, which Docker cannot mount; rename it")
    if not path.is_absolute():
        return [Data(os.path.normpath(path), source)]
    for system in SYSTEM_FOLDERS:
        if source.is_relative_to(system) or system.is_relative_to(source):
            raise UsageError(
                f"{text} would hide the container's own {system}; name data elsewhere, or go "
                "where a relative path leads to them"
            )
    places = [Data(str(source), source)]
    if source.is_relative_to(Path.home()) and source != Path.home():
        places.append(Data(f"~/{source.relative_to(Path.home())}", source))
    return places


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text}: there is no such user's home; write the path out") from None


def datasets(text: str, folder: Path) -> Path:
    """Return the folder that is to be ``~/.keras/datasets``. Raises UsageError."""
    path = folder / _expanded(text)
    if not path.is_dir():
        raise UsageError(f"no datasets in {text}: no such folder; name one, ~/.keras/datasets say")
    if ":" in str(path):
        raise UsageError(f"{text} has a colon in its path, which Docker cannot mount; rename it")
    return path.absolute()


def size(text: str) -> int:
    """Return a size in bytes: "500 MB", "2GB", "1048576"; 1 kB is 1024 bytes.

    Raises:
        ValueError: it is none, or not positive.
    """
    match = re.fullmatch(
        r"(\d{1,18}(?:\.\d{1,18})?)\s*(bytes|kB|MB|GB)?", text.strip(), re.IGNORECASE
    )
    power = ("bytes", "kb", "mb", "gb").index((match.group(2) or "bytes").lower()) if match else 0
    value = int(float(match.group(1)) * 1024**power) if match else 0
    if not 0 < value < 1 << 60:
        raise ValueError(f"{text!r} is no size; write 500 MB, or 2 GB")
    return value


def seconds(text: str) -> float:
    """Return a time in seconds: "90", "90 s", "10 min", "2 h".

    Raises:
        ValueError: it is none, or not positive.
    """
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?)\s*(s|min|h)?", text.strip())
    unit = {"s": 1, "min": 60, "h": 3600}[match.group(2) or "s"] if match else 0
    value = float(match.group(1)) * unit if match else 0.0
    if not 0 < value < 1e9:
        raise ValueError(f"{text!r} is no time; write 90 s, 10 min, or 2 h")
    return value
