"""Lock the packages that a script needs besides its backend's, whose pins are constraints."""

import hashlib
import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from platformdirs import user_cache_path

from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import index_settings
from keras_repro.packages.compile import compile_lock
from keras_repro.packages.uv import UvError
from keras_repro.packages.wheels import refusal, wheels_alone


def with_extra(backend: Backend, files: tuple[Path, ...], requirements: tuple[str, ...]) -> Backend:
    """Return the backend with the extra packages locked.

    The lock is kept in the user's cache, so that the same requirements are the same packages on
    the next day too.

    Raises:
        UsageError: a requirement cannot be read, or conflicts with the backend's.
        UnavailableError: they cannot be resolved here, for want of a network say.
    """
    if not files and not requirements:
        return backend
    asked = read(files, requirements)
    _check_conflicts(backend, asked)
    kept = _kept_lock(backend, files, requirements)
    if kept is not None and kept.is_file():
        return backend.model_copy(update={"extra": kept.read_text(encoding="utf-8")})
    extra = _resolve(backend, files, requirements)
    if kept is not None:
        write_whole(kept, extra.encode())
    return backend.model_copy(update={"extra": extra})


def read(files: tuple[Path, ...], requirements: tuple[str, ...]) -> list[tuple[str, Requirement]]:
    """Return each requirement that is written out, with where it is asked for.

    Raises:
        UsageError: a file cannot be read, or a line of it says nothing.
    """
    found = []
    left, seen = list(files), set()
    while left:
        path = left.pop(0)
        seen.add(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = str(getattr(error, "strerror", "")).lower() or "it is no UTF-8 text"
            raise UsageError(f"cannot read the requirements {path}: {why}") from None
        for number, written in enumerate(text.splitlines(), 1):
            line = re.sub(r"(^|\s)#.*|\s--hash=\S+|\\$", "", written).strip()
            if re.match(r"-e|--editable", line):  # uv builds these whatever it is told
                raise UsageError(
                    f"{path}:{number}: {line!r} would run the package's own code on this machine; "
                    "build a wheel of it, and ask for that"
                )
            if nested := re.match(r"(?:-r|--requirement|-c|--constraint)[\s=]*(\S+)", line):
                inner = path.parent / nested.group(1)
                left += [] if inner in seen else [inner]
            if not line or line.startswith("-"):  # uv's to understand
                continue
            try:
                found.append((f"{path}:{number}", Requirement(line)))
            except InvalidRequirement as error:
                why = str(error).splitlines()[0]
                raise UsageError(f"{path}:{number}: {line!r} is no requirement: {why}") from None
    return found + [("requirements", Requirement(text)) for text in requirements]


def _check_conflicts(backend: Backend, asked: list[tuple[str, Requirement]]) -> None:
    locked = backend.locked
    there = {"python_version": backend.python, "python_full_version": f"{backend.python}.0"}
    for where, requirement in asked:
        if requirement.marker is not None and not requirement.marker.evaluate(there):
            continue
        version = locked.get(canonicalize_name(requirement.name))
        if version is not None and not requirement.specifier.contains(version, prereleases=True):
            raise UsageError(
                f"{where}: {requirement} conflicts with {backend.name}, which is "
                f"{requirement.name} {version}; ask for that one, or leave the package out"
            )


def _kept_lock(
    backend: Backend, files: tuple[Path, ...], requirements: tuple[str, ...]
) -> Path | None:
    """Return where the lock is kept; None where other files have a say in it."""
    settings = index_settings.in_use()
    digest = hashlib.sha256(backend.lock.encode())
    # Another local index, or another wheel in it, is another answer.
    digest.update(index_settings.fingerprint(settings).encode())
    for path in files:
        text = path.read_text(encoding="utf-8")
        if re.search(r"^\s*-", text, re.MULTILINE):
            return None
        digest.update(b"\0" + text.encode())
    for requirement in requirements:
        digest.update(b"\0" + requirement.encode())
    name = f"{backend.name}-{digest.hexdigest()[:16]}.txt"
    return user_cache_path("keras-repro") / "extra" / name


def _resolve(backend: Backend, files: tuple[Path, ...], requirements: tuple[str, ...]) -> str:
    try:
        return compile_lock(
            backend,
            requirements,
            files,
            constraints=backend.lock,
            left_out=backend.locked,
            options=wheels_alone(backend),
        )
    except UvError as error:
        if refused := refusal(error.text, backend):
            raise UsageError(refused) from None
        text = error.readable
        if error.unsatisfiable:
            raise UsageError(
                f"the extra requirements and {backend.name}'s conflict: {text}"
            ) from None
        raise UnavailableError(
            f"cannot lock the extra requirements for {backend.name}: {text}"
        ) from None
