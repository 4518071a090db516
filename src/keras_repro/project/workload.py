"""What there is to train: workloads, as the command line or a configuration names them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import UsageError
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.recorder import contract
from keras_repro.recorder.contract import Conditions


@dataclass(frozen=True)
class Workload:
    """A script to train, and the conditions of its runs.

    ``folder`` is where it runs, absolute. ``script`` is its file, relative to that folder where it
    lies below; ``module`` its name where it is run as ``python -m`` does. No backends means all of
    them. ``primary`` are patterns of what counts in its ensembles, and ``margins`` {pattern: by how
    much two means may differ}. ``argument`` is how the user names it. ``outside`` says of
    conditions that a configuration gives why they are refused: they name what lies outside of the
    project.
    """

    name: str
    folder: Path
    script: Path
    module: str | None = None
    args: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    tolerances: dict[str, Tolerances] = field(default_factory=dict)
    primary: tuple[str, ...] = ()
    margins: dict[str, float] = field(default_factory=dict)
    argument: str = ""
    outside: dict[str, str] = field(default_factory=dict)

    @property
    def script_path(self) -> Path:
        """The script's file, absolute."""
        return self.folder / self.script

    @property
    def requirement_files(self) -> tuple[Path, ...]:
        """The files that list the extra packages."""
        return tuple(one for one in self.conditions.requirements if isinstance(one, Path))

    @property
    def requirements(self) -> tuple[str, ...]:
        """The extra packages that are written out."""
        return tuple(one for one in self.conditions.requirements if isinstance(one, str))

    def on(self, backend: Backend) -> Backend:
        """Return a backend with the Debian packages that the script's runs need besides."""
        conditions = self.conditions
        needed = {"system_packages": conditions.system_packages}
        return backend.model_copy(update={**needed, "emulates": conditions.processor is not None})

    @property
    def is_builtin(self) -> bool:
        """Whether the script is one of those that come with keras-repro."""
        return self.script_path.parent == BUILTIN


# Folders beside a script from which it reads nothing: they come from runs, or from other tools.
NO_INPUT = frozenset(("artifacts", "baselines", "locks", "node_modules", "__pycache__"))
BUILTIN = Path(__file__).parents[1] / "workloads"


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
        raise UsageError(f"-m {module!r} is not a module name; write it as in: python -m {module}")
    file = Path(contract.module_file(module, str(folder)))
    if not (folder / file).is_file():
        raise UsageError(
            f"no module {module!r}: there is no {folder / file}; run keras-repro in the folder "
            "that contains it"
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
