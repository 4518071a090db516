"""A project's own locks, which go before those that the backends carry; and how they get there."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.errors import UsageError
from keras_repro.packages import resolve

ADDED = "# asked for besides: "  # what the backend itself does not name


def of_project(backend: Backend, folder: Path) -> Backend:
    """Return a backend with its lock of a project's, where ``folder`` has one.

    Raises:
        UsageError: it is no lock, or cannot be read.
    """
    path = folder / f"{backend.name}.txt"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return backend
    except (OSError, UnicodeDecodeError) as error:
        why = str(getattr(error, "strerror", "")).lower() or "it is no UTF-8 text"
        raise UsageError(f"cannot read the lock {path}: {why}") from None
    unlocked = [name for name, entry in backends.entries(text).items() if "--hash=" not in entry]
    if unlocked or not backends.versions(text):
        what = f"{unlocked[0]} has no hash" if unlocked else "it locks nothing"
        raise UsageError(f"{path} is no lock: {what}; write it with keras-repro upgrade --apply")
    added = re.search(rf"^{ADDED}(.*)$", text, re.MULTILINE)
    names = tuple(added[1].split(", ")) if added else ()
    return resolve.with_lock(backend.model_copy(update={"added": names}), text)


def is_own(folder: Path) -> bool:
    """Return whether ``folder`` is in keras-repro's own repository, with the backends' files.

    An installed package is not, even where its environment lies in the user's project.
    """
    root = backends.FOLDER.parents[2]
    return (root / "docker-compose.yml").is_file() and folder.resolve().is_relative_to(root)


def write(after: Backend, wanted: list[Requirement], project: Path, folder: Path) -> list[Path]:
    """Make a resolved lock the backend's: the backend's own in its own project, else in ``folder``.

    Returns what was written. Each file is replaced in one step.

    Raises:
        CannotWriteError: a file cannot be written; what was there is untouched.
    """
    if not is_own(project):
        command = " ".join(f'--with "{one}"' for one in wanted)
        head = f"# keras-repro upgrade --backend {after.name} {command} --apply\n"
        if after.added:
            head += f"{ADDED}{', '.join(after.added)}\n"
        path = folder / f"{after.name}.txt"
        write_whole(path, (head + resolve.annotated(after)).encode())
        return [path]
    stored = after.as_stored
    inputs = stored.folder / "requirements.in"
    lines = [_line(line, after) for line in inputs.read_text(encoding="utf-8").splitlines()]
    named = {canonicalize_name(one.name) for one in stored.direct}
    lines += [
        f"{one.name}=={after.locked[canonicalize_name(one.name)]}"
        for one in wanted
        if canonicalize_name(one.name) not in named
    ]
    settings = stored.folder / "backend.toml"
    text = settings.read_text(encoding="utf-8")
    write_whole(inputs, ("\n".join(lines) + "\n").encode())
    write_whole(stored.requirements, resolve.annotated(after).encode())
    write_whole(settings, text.replace(f'"{stored.title}"', f'"{after.title}"').encode())
    return [inputs, stored.requirements, settings]


def _line(line: str, after: Backend) -> str:
    """Return a line of requirements.in with its pin as the new lock has it."""
    if not backends.is_requirement(line):
        return line
    one = Requirement(line)
    version = after.locked.get(canonicalize_name(one.name))
    if version is None or one.specifier.contains(version, prereleases=True):
        return line
    return re.sub(r"[<>=!~].*", f"=={version}", line, count=1)
