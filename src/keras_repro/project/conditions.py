"""Read the conditions that a user chooses: those that name files of this machine are looked up."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from keras_repro.errors import UsageError

# What a container is made of: nothing of the user's can be shown there.
SYSTEM_FOLDERS = tuple(
    Path(name)
    for name in (
        *("/artifacts", "/bin", "/cache", "/dev", "/etc", "/lib", "/lib64", "/opt/keras-repro"),
        *("/opt/venv", "/proc", "/run", "/sbin", "/sys", "/usr", "/work"),
    )
)


class Data(NamedTuple):
    """Data to show to a script: the place it is seen at, and a folder or file of this machine.

    A place is absolute, relative to the script's working folder, or below ``~``.
    """

    place: str
    source: Path

    @property
    def is_linked(self) -> bool:
        """Whether the recorder links it to its place; an absolute path is itself."""
        return self.place != str(self.source)


def linked(data: Iterable[Data]) -> tuple[Data, ...]:
    """Return the data that the recorder links to their places, where no container shows them.

    Raises:
        UsageError: a place is an absolute path at which they do not lie: no link is made there.
    """
    found = tuple(one for one in data if one.is_linked)
    for one in found:
        if one.place.startswith("/"):
            raise UsageError(
                f"a worker without Docker cannot show data at {one.place}; name them by a path "
                "relative to the script"
            )
    return found


def looked_up(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return conditions with the files that they name looked up, as seen from ``folder``.

    Raises:
        UsageError: what one of them names is not there, or cannot be used.
    """
    return {name: LOOK_UP.get(name, _as_it_is)(value, folder) for name, value in given.items()}


def _as_it_is(value: Any, _folder: Path) -> Any:
    return value


def _requirements(given: str | tuple[str | Path, ...], folder: Path) -> tuple[str | Path, ...]:
    """Return files, as absolute paths, and requirements that are written out.

    A text names a file, as seen from ``folder``; a path is seen from the present one.
    """
    from keras_repro.packages import extra  # noqa: PLC0415 - few commands need it

    found = (folder / given,) if isinstance(given, str) else tuple(given)
    # To complain at once, and to name a file as the user does.
    extra.read(tuple(one for one in found if isinstance(one, Path)), ())
    return tuple(one.absolute() if isinstance(one, Path) else one for one in found)


def _all_data(given: Iterable[str], folder: Path) -> tuple[Data, ...]:
    return tuple(part for text in given for part in data(text, folder))


def data(text: str, folder: Path) -> list[Data]:
    """Return how the data that a user names are shown: relative paths begin at ``folder``.

    Raises:
        UsageError: they are not there, or a container cannot show them where they are.
    """
    path = _expanded(text)
    source = Path(os.path.normpath(folder / path))
    if not source.exists():
        raise UsageError(f"no data in {text}: no such file or folder; check the path")
    if folder.is_relative_to(source):
        raise UsageError(f"{text} contains the script's own folder; name only the data")
    if ":" in str(source):
        raise UsageError(f"{text} has a colon in its path, which Docker cannot mount; rename it")
    if not path.is_absolute():
        return [Data(os.path.normpath(path), source)]
    for system in SYSTEM_FOLDERS:
        if source.is_relative_to(system) or system.is_relative_to(source):
            raise UsageError(
                f"{text} would hide the container's own {system}; move the data elsewhere, or "
                "name them by a relative path"
            )
    places = [Data(str(source), source)]
    if source.is_relative_to(Path.home()) and source != Path.home():
        places.append(Data(f"~/{source.relative_to(Path.home())}", source))
    return places


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text}: there is no such user; write the path out") from None


def datasets(text: str, folder: Path) -> Path:
    """Return the folder that is to be ``~/.keras/datasets``. Raises UsageError."""
    path = folder / _expanded(text)
    if not path.is_dir():
        raise UsageError(
            f"no datasets in {text}: no such folder; name one, such as ~/.keras/datasets"
        )
    if ":" in str(path):
        raise UsageError(f"{text} has a colon in its path, which Docker cannot mount; rename it")
    return path.absolute()


def _names(given: Iterable[str], _folder: Path) -> tuple[str, ...]:
    return tuple(sorted(set(given)))


LOOK_UP: dict[str, Callable[[Any, Path], Any]] = {
    "requirements": _requirements,
    "system_packages": _names,
    "data": _all_data,
    "datasets": datasets,
}
