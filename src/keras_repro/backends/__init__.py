"""The backends: each folder beside this file is one. Adding a backend is adding a folder."""

import hashlib
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from keras_repro.errors import UnreadableError, UsageError
from keras_repro.numbers.tolerances import Tolerances, with_default
from keras_repro.recorder.contract import QEMU_PACKAGE

if TYPE_CHECKING:
    from packaging.requirements import Requirement

FOLDER = Path(__file__).parent

Platform = Literal["linux/amd64", "linux/arm64"]
"""What an environment is for, as Docker names it."""
Accelerator = Literal["cpu"]
"""What a backend computes on. The recorder hides every other device from the script."""


class Backend(BaseModel):
    """A pinned environment: ``backend.toml`` and what lies beside it.

    ``platform`` is what its lock is for, ``accelerator`` the device that it computes on.
    ``apt_packages`` are what its image needs of Debian, and ``commands`` what another machine has
    to have on PATH. ``tolerances`` end with the default for what ``backend.toml`` does not name.

    ``extra`` is the lock of what a script needs besides (see packages/extra.py), empty where it
    needs nothing, and ``system_packages`` what it needs of Debian; ``emulates`` says that another
    processor is emulated, which takes a package of Debian's too. ``other_lock`` is a lock in place
    of the one that lies beside it (see packages/resolve.py), and ``added`` the packages that are in
    it because somebody asked for them.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True, ignored_types=(cached_property,))

    name: str
    title: str
    python: str
    keras_backend: str
    platform: Platform
    accelerator: Accelerator
    apt_packages: list[str] = []
    commands: list[str] = []
    tolerances: dict[str, Tolerances] = with_default({})
    extra: str = ""
    system_packages: tuple[str, ...] = ()
    emulates: bool = False
    other_lock: str = ""
    added: tuple[str, ...] = ()

    @field_validator("tolerances")
    @classmethod
    def _with_default(cls, stated: dict[str, Tolerances]) -> dict[str, Tolerances]:
        return with_default(stated)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return FOLDER / self.name

    @property
    def requirements(self) -> Path:
        """The hash-locked requirements."""
        return self.folder / "requirements.txt"

    @property
    def lock(self) -> str:
        """The text of the hash-locked requirements; empty where there are none yet."""
        if self.other_lock:
            return self.other_lock
        return _text(self.requirements) if self.requirements.is_file() else ""

    @property
    def requirements_sha256(self) -> str:
        """The SHA-256 of the lock."""
        return hashlib.sha256(self.lock.encode()).hexdigest()

    @property
    def without_extra(self) -> "Backend":
        """The backend without the extra packages, which become a layer on its image."""
        return self.model_copy(update={"extra": ""})

    @property
    def as_stored(self) -> "Backend":
        """The backend with its own lock, on whose image another lock becomes a layer."""
        return _read(self.folder)

    @property
    def extra_sha256(self) -> str | None:
        """The SHA-256 of the lock of the extra packages, None where there are none."""
        return hashlib.sha256(self.extra.encode()).hexdigest() if self.extra else None

    @property
    def from_debian(self) -> tuple[str, ...]:
        """All that its image needs of Debian besides its own, each once."""
        names = {package.partition("=")[0] for package in self.system_packages}
        emulator = (QEMU_PACKAGE,) if self.emulates and QEMU_PACKAGE not in names else ()
        return tuple(sorted((*self.system_packages, *emulator)))

    @property
    def locked(self) -> dict[str, str]:
        """{package: version} of all that the lock has; none where there is none yet."""
        return versions(self.lock)

    @property
    def pins(self) -> dict[str, str]:
        """{package: version} of what ``requirements.in`` names, as the lock has it."""
        locked = self.locked
        names = re.findall(r"^[\w.-]+", self._asked, re.MULTILINE)
        # What was added since waits for `keras-repro lock`.
        return {name: locked[name] for name in names if name in locked}

    @property
    def direct(self) -> "list[Requirement]":
        """What ``requirements.in`` asks for."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - few commands need it

        return [Requirement(line) for line in self._asked.splitlines() if is_requirement(line)]

    @property
    def _asked(self) -> str:
        return _text(self.folder / "requirements.in")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableError(
            f"cannot read {path}: {error.strerror or error}; mend its permissions or its disk"
        ) from None


def is_requirement(line: str) -> bool:
    """Return whether a line of ``requirements.in`` asks for something."""
    return bool(line.strip()) and not line.startswith("#")


def versions(lock: str) -> dict[str, str]:
    """Return {package: version} of a lock's text."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))


def entries(lock: str) -> dict[str, str]:
    """Return {package: its entry, with its hashes} of a lock's text."""
    found = re.split(r"\n(?=[\w.-]+==)", "\n" + lock.strip())[1:]
    return {entry.partition("==")[0]: entry for entry in found}


def load() -> dict[str, Backend]:
    """Return every backend by name, sorted: the older Keras first, then by name."""
    found = [_read(path.parent) for path in FOLDER.glob("*/backend.toml")]
    found.sort(key=lambda backend: (backend.pins.get("keras", ""), backend.name))
    return {backend.name: backend for backend in found}


def _read(folder: Path) -> Backend:
    path = folder / "backend.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        return Backend(**settings, name=folder.name)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise UsageError(f"{path}: {where}: {problem['msg']}") from None
    except ValueError as error:  # it is no TOML, or no UTF-8 text
        raise UsageError(f"{path}: {error}") from None


def select(names: tuple[str, ...]) -> list[Backend]:
    """Return the named backends, each once; all where none is named.

    Raises:
        UsageError: there is no backend of that name.
    """
    known = load()
    for name in names:
        if name not in known:
            raise UsageError(f"no backend {name!r}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or known)]
