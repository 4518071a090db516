"""Resolve a backend's environment anew: some packages changed, the others as near as they go."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from platformdirs import user_cache_path

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.errors import KerasReproError, UnavailableError, UsageError
from keras_repro.packages import index_settings
from keras_repro.packages.compile import compile_lock
from keras_repro.packages.uv import UvError

KEPT = "resolutions"  # what was resolved before, in the user's cache


class DoesNotInstallError(UsageError):
    """No environment holds what was asked for; the message says why."""


@dataclass(frozen=True)
class Move:
    """A package that another environment has in another version, only now, or no longer.

    ``before`` and ``after`` are None where it is not there.
    """

    package: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Return it as in "numpy 2.4.6 -> 2.3.5"."""
        return f"{self.package} {self.before or '(none)'} -> {self.after or '(none)'}"


def moves(before: Backend, after: Backend) -> list[Move]:
    """Return in which packages two environments differ, by name."""
    old, new = whole(before), whole(after)
    return [
        Move(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def whole(backend: Backend) -> dict[str, str]:
    """Return {package: version} of an environment, with what its script needs besides."""
    return backend.locked | backends.versions(backend.extra)


def requirement(text: str) -> Requirement:
    """Return a requirement as a user writes it.

    Raises:
        UsageError: it is none.
    """
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        why = f"{str(error).splitlines()[0]}; write it as in keras==3.15.1"
        raise UsageError(f"--with {text!r} is no requirement: {why}") from None
    if found.url is not None:
        raise UsageError(f"--with {text!r} names an address; name a release: {found.name}==1.0")
    return found


def changed(
    backend: Backend,
    wanted: Iterable[Requirement],
    asked: Iterable[Requirement] = (),
    *,
    hold: bool = True,
    only_binary: Iterable[str] = (),
    until: datetime | None = None,
) -> Backend:
    """Return the backend with another lock, in which ``wanted`` holds.

    Every other package stays where it is; where that cannot be, what has to move goes to the
    nearest release that the index has. ``asked`` are the requirements behind the backend's extra
    packages, which become part of the lock. ``hold`` off asks for the newest of everything
    within the major releases that are pinned, ``until`` as of that time. Packages of
    ``only_binary`` are not built from source.

    Raises:
        DoesNotInstallError: there is no such environment.
        UnavailableError: the index cannot be reached.
    """
    asked = list(asked)
    named = _named(wanted)
    lines = [*(str(one) for one in named.values())]
    direct = _direct(backend, asked)
    for line in direct:
        own = named.get(canonicalize_name(line.name))
        if own is None:
            lines.append(_loose(line) if hold else _of_its_major(line))
        elif line.extras and not own.extras:  # jax[cpu] stays jax[cpu]
            lines[lines.index(str(own))] = f"{own.name}{_extras(line)}{own.specifier}"
    old = whole(backend)
    known = {canonicalize_name(line.name) for line in direct}
    backend = backend.model_copy(
        update={"added": (*backend.added, *(name for name in named if name not in known))}
    )
    options = [part for name in only_binary for part in ("--only-binary", name)]
    if until is not None:
        options += ["--exclude-newer", until.isoformat()]
    # What is pinned, or of a day that is over, is the same tomorrow.
    keep = all(map(_is_pin, named.values())) and (until is None or until < datetime.now(UTC))
    if not hold:
        return with_lock(backend, _compile(backend, lines, options, keep=keep))
    held = [f"{name}=={version}" for name, version in old.items() if name not in named]
    try:
        return with_lock(backend, _compile(backend, lines, options, held, keep=keep))
    except DoesNotInstallError:
        preferred = f"{backend.lock}\n{backend.extra}"
        near = _compile(backend, lines, options, preferred=preferred, keep=keep)
    lock = _nearest(backend, lines, options, old, near, set(named), keep)
    return with_lock(backend, lock)


def _named(wanted: Iterable[Requirement]) -> dict[str, Requirement]:
    """Return what is wanted by name; of a package that is named twice all holds."""
    named: dict[str, Requirement] = {}
    for one in wanted:
        name = canonicalize_name(one.name)
        before = named.get(name)
        both = str(one) if before is None else f"{before},{one.specifier}" if one.specifier else ""
        named[name] = Requirement(both) if both else named[name]
    return named


def _is_pin(one: Requirement) -> bool:
    return any(part.operator in ("==", "===") for part in one.specifier)


def reasons(
    before: Backend, after: Backend, wanted: Iterable[Requirement], moved: Iterable[Move]
) -> dict[str, str]:
    """Return {package: why it moves}: it was asked for, or which other one asks for it.

    A package is asked for at its old release; what uv then says of it is why that cannot be.
    """
    named = _named(wanted)
    lines = [*map(str, named.values())]
    direct = [line for line in _direct(before, ()) if canonicalize_name(line.name) not in named]
    lines += [_loose(line) for line in direct]
    found = {}
    for move in moved:
        if move.package in named:
            found[move.package] = "asked for"
        elif move.after is None:
            found[move.package] = "nothing needs it any more"
        elif move.before is None:
            found[move.package] = "needed now"
        else:
            found[move.package] = _reason(after, move, lines)
    return found


def _reason(after: Backend, move: Move, lines: list[str]) -> str:
    try:
        _compile(after, [*lines, f"{move.package}=={move.before}"])
    except DoesNotInstallError as error:
        name = re.escape(move.package)
        # What is asked for, or what is there: "keras==3.16.0 depends on numpy>=2.5"
        said = re.findall(rf"(\S+) depends on ({name}\S*?)[,.]?(?= |$)", str(error))
        asks = [f"{who} needs {what}" for who, what in said]
        return asks[0] if asks else "its old release goes with none of the others"
    return "it goes with the others that move"


def _nearest(
    backend: Backend,
    lines: list[str],
    options: list[str],
    old: dict[str, str],
    near: str,
    named: set[str],
    keep: bool,
) -> str:
    """Return the lock with what had to move up at the lowest release that will do.

    uv keeps what it can, and takes the newest of what it cannot; downwards that is the nearest.
    """
    new = backends.versions(near)
    up = {
        name: version
        for name, version in new.items()
        if name in old and name not in named and Version(version) > Version(old[name])
    }
    if not up:
        return near
    held = [f"{name}=={version}" for name, version in new.items() if name not in up]
    ranges = [f"{name}>={old[name]},<={version}" for name, version in up.items()]
    try:
        lowest = [*options, "--resolution", "lowest-direct"]
        return _compile(backend, [*lines, *ranges], lowest, held, keep=keep)
    except DoesNotInstallError:
        return near


def _direct(backend: Backend, asked: Iterable[Requirement]) -> list[Requirement]:
    """Return what the environment was resolved from."""
    return [*backend.direct, *map(Requirement, backend.added), *asked]


def _loose(line: Requirement) -> str:
    """Return a requirement without its pin, which the lock holds as long as it can."""
    pinned = _is_pin(line)
    marker = f" ; {line.marker}" if line.marker else ""
    return f"{line.name}{_extras(line)}{'' if pinned else line.specifier}{marker}"


def _of_its_major(line: Requirement) -> str:
    """Return a requirement without its pin, but within the major release that it is pinned to.

    A build of its own, PyTorch's "+cpu" say, stays: any other is another thing.
    """
    pin = next((one.version for one in line.specifier if one.operator == "=="), None)
    if pin is None or Version(pin).local is not None:
        return str(line)
    return f"{line.name}{_extras(line)}=={Version(pin).major}.*"


def _extras(line: Requirement) -> str:
    return f"[{','.join(sorted(line.extras))}]" if line.extras else ""


def annotated(backend: Backend) -> str:
    """Return a backend's lock as ``keras-repro lock`` writes it: with what asks for what."""
    lines = [_loose(line) for line in _direct(backend, ())]
    held = [f"{name}=={version}" for name, version in backend.locked.items()]
    lines += [one for one in held if "+" in one]  # a local version is asked for in full
    return _compile(backend, lines, (), held, preferred=backend.lock, annotate=True)


def compiled(backend: Backend, lines: Iterable[str], *, annotate: bool = False) -> str:
    """Return the lock of some requirements alone, for a backend's Python.

    ``annotate`` writes what asks for what.

    Raises:
        DoesNotInstallError: they do not go together.
        UnavailableError: the index cannot be reached.
    """
    return _compile(backend, lines, annotate=annotate)


def with_lock(backend: Backend, text: str) -> Backend:
    """Return a backend with another lock, by its text."""
    new, title = backends.versions(text), backend.title
    for name, version in whole(backend).items():
        if name in new and new[name] != version:
            # "+cpu" is no part of a title.
            old, now = version.partition("+")[0], new[name].partition("+")[0]
            title = re.sub(rf"(?<= ){re.escape(old)}(?=$| )", now, title)
    stored = new == backend.as_stored.locked and backend.python == backend.as_stored.python
    update = {"other_lock": "" if stored else text, "extra": "", "title": title}
    return backend.model_copy(update=update)


def _compile(
    backend: Backend,
    lines: Iterable[str],
    options: Iterable[str] = (),
    held: Iterable[str] = (),
    *,
    preferred: str = "",
    annotate: bool = False,
    keep: bool = True,
) -> str:
    """Return a lock: from the cache where the same was asked before, of the same indexes.

    ``keep`` off asks anew: the answer may be another one tomorrow.
    """
    constraints = "\n".join(held)
    settings = index_settings.in_use()
    indexes = (settings, index_settings.fingerprint(settings))
    asked = ([*lines], [*options], constraints, preferred, annotate)
    parts = (backend.python, backend.platform, asked, indexes)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    kept = user_cache_path("keras-repro") / KEPT / f"{digest[:32]}.txt"
    if keep and kept.is_file():
        return kept.read_text(encoding="utf-8")
    try:
        text = compile_lock(
            backend,
            lines,
            constraints=constraints,
            preferred=preferred,
            annotate=annotate,
            options=options,
        )
    except UvError as error:
        raise _failure(error) from None
    if keep:
        write_whole(kept, text.encode())
    return text


def _failure(error: UvError) -> KerasReproError:
    if error.of_packages:
        return DoesNotInstallError(error.readable)
    return UnavailableError(f"cannot resolve the environment: {error.readable}")
