"""Make a resolved lock the one that holds: a project's own, or the backend's in its repository."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.packages import resolve
from keras_repro.packages.project_locks import ADDED


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
    lock = resolve.annotated(after).encode()
    # The lock last: as long as it is the old one, the same command again does the rest.
    write_whole(settings, text.replace(f'"{stored.title}"', f'"{after.title}"').encode())
    write_whole(inputs, ("\n".join(lines) + "\n").encode())
    write_whole(stored.requirements, lock)
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
