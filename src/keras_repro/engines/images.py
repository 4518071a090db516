"""The images that containers are made of: their names, what is in them, and how they are built.

A backend's image is built by Compose. Another lock, or the packages that a script needs besides,
Python's and Debian's, are a layer on it; only another Python needs an image of its own.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import get_args

from keras_repro import __version__, backends
from keras_repro.backends import Backend, Platform
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages.install import install_beside
from keras_repro.packages.resolve import DoesNotInstallError, moves
from keras_repro.packages.uv import BUILD_CONSTRAINTS, UvError
from keras_repro.packages.uv import LOCK as UV_LOCK

PACKAGE = backends.FOLDER.parent
CONTAINER = PACKAGE / "container"
# A wheel carries the Dockerfile and docker-compose.yml in the package; in the repository, where
# people use them by hand, they lie at the top.
PROJECT = CONTAINER if (CONTAINER / "docker-compose.yml").is_file() else PACKAGE.parents[1]
SOURCE_LABEL = "io.keras-repro.source"
BASE_LABEL = "io.keras-repro.base"
UV_IMAGE = "keras-repro/uv"


def image_name(backend: Backend) -> str:
    """Return the name and tag of a backend's image."""
    parts = []
    if backend.other_lock:
        parts.append(f"lock-{backend.requirements_sha256[:16]}")
    if _has_other_python(backend):
        parts.append(f"python{backend.python}")
    if extra := _extra_sha256(backend):
        parts.append(f"extra-{extra[:16]}")
    return f"keras-repro/{backend.name}:{'-'.join(parts) or 'latest'}"


def platform(backend: Backend) -> Platform:
    """Return what a backend's image is for: what KERAS_REPRO_PLATFORM says, else the backend.

    Raises:
        UsageError: the variable names no platform that there are images for.
    """
    asked = os.environ.get("KERAS_REPRO_PLATFORM")
    if not asked:
        return backend.platform
    for known in get_args(Platform):
        if asked == known:
            return known  # type: ignore[no-any-return]
    names = " or ".join(get_args(Platform))
    raise UsageError(f"KERAS_REPRO_PLATFORM={asked}: there are no such images; set it to {names}")


def parent(backend: Backend) -> Backend | None:
    """Return the backend on whose image this one's is a layer; None where it is a whole one."""
    if backend.other_lock and not _has_other_python(backend):
        if backend.extra:
            return backend.without_extra
        # Debian's are below: a search tries many locks on one image that has them.
        below = {"system_packages": backend.system_packages, "emulates": backend.emulates}
        return backend.as_stored.model_copy(update=below)
    if backend.extra or backend.from_debian:
        none = {"system_packages": (), "emulates": False}
        return backend.without_extra.model_copy(update=none)
    return None


def is_built_by_compose(backend: Backend) -> bool:
    """Whether the image is one of the services', and not one made for another lock."""
    return parent(backend) is None and not backend.other_lock and not _has_other_python(backend)


def is_of_other_lock(name: str) -> bool:
    """Return whether an image's name says that it was made for another lock."""
    return re.fullmatch(r"keras-repro/[\w.-]+:lock-[0-9a-f]{16}.*", name) is not None


def source_sha256(backend: Backend) -> str:
    """Return the SHA-256 over every file that goes into the backend's image, and its settings."""
    files = [
        PROJECT / "Dockerfile",
        PACKAGE / "__init__.py",
        PACKAGE / "record.py",
        UV_LOCK,
        BUILD_CONSTRAINTS,
        *(backend.folder / name for name in ("requirements.txt", "keras.json", "backend.toml")),
        *sorted(CONTAINER.glob("*.sh")),
        *sorted((PACKAGE / "recorder").rglob("*.py")),
        *sorted((PACKAGE / "workloads").rglob("*.py")),
    ]
    digest = hashlib.sha256()
    for path in files:
        content = backend.lock.encode() if path == backend.requirements else path.read_bytes()
        # A wheel carries the Dockerfile elsewhere, and makes the same images.
        name = path.name if path.name == "Dockerfile" else os.path.relpath(path, PACKAGE)
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def build_options(backend: Backend) -> list[str]:
    """Return the options of docker build: the platform, and a certificate authority to build by."""
    ca = os.environ.get("SSL_CERT_FILE") or os.devnull
    return [
        *("--progress", "plain", "--platform", platform(backend)),
        *("--secret", f"id=ca,src={ca}"),
    ]


def uv_image(backend: Backend) -> list[str]:
    """Return the arguments of docker build for the image that layers take uv from."""
    options = ["--target", "uv", "--tag", UV_IMAGE, "--file", str(PROJECT / "Dockerfile")]
    return [*build_options(backend), *options, str(PACKAGE)]


def layer(backend: Backend, base_id: str, context: Path) -> list[str]:
    """Fill the empty folder ``context``; return docker build's arguments for the layer.

    Raises:
        DoesNotInstallError: a package of another lock does not install.
        UnavailableError: the packages cannot be had from here.
    """
    base = parent(backend)
    assert base is not None
    of_lock = backend.other_lock != base.other_lock
    (context / "requirements.txt").write_text(
        backend.lock if of_lock else backend.extra, encoding="utf-8"
    )
    arguments = ["--file", str(CONTAINER / f"{'lock' if of_lock else 'extra'}.Dockerfile")]
    arguments += ["--build-arg", f"BASE={image_name(base)}", "--build-arg", f"UV={UV_IMAGE}"]
    arguments += ["--build-arg", f"BASE_ID={base_id}", "--tag", image_name(backend)]
    if not of_lock:
        arguments += ["--target", "with-debian" if backend.extra == base.extra else "with-python"]
        if backend.from_debian == base.from_debian:
            arguments += ["--build-arg", f"BELOW={image_name(base)}"]
        else:
            for name in ("debian.sh", "system.sh"):
                shutil.copy(CONTAINER / name, context)
            lines = "".join(f"{package}\n" for package in backend.from_debian)
            (context / "system-packages.txt").write_text(lines, encoding="utf-8")
    else:
        moved = moves(base, backend)
        (context / "site").mkdir()
        _install(backend, [move.package for move in moved if move.after], context / "site")
        gone = " ".join(move.package for move in moved if move.before)
        arguments += ["--build-arg", f"REMOVED={gone}"]
        arguments += ["--build-arg", f"PYTHON_VERSION={backend.python}"]
    return [*build_options(backend), *arguments, str(context)]


def whole(backend: Backend, context: Path) -> list[str]:
    """Fill the empty folder ``context``; return docker build's arguments for a whole image.

    It is what Compose would build, from another lock and on another Python.
    """
    for name in ("recorder", "workloads", "container"):
        shutil.copytree(PACKAGE / name, context / name, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("__init__.py", "record.py"):
        shutil.copy(PACKAGE / name, context)
    shutil.copytree(backend.folder, context / "backends" / backend.name)
    (context / "packages").mkdir()
    for path in (UV_LOCK, BUILD_CONSTRAINTS):
        shutil.copy(path, context / "packages")
    lock = context / "backends" / backend.name / "requirements.txt"
    lock.write_text(backend.lock, encoding="utf-8")
    settings = {
        "BACKEND": backend.name,
        "KERAS_BACKEND": backend.keras_backend,
        "PYTHON_VERSION": backend.python,
        "APT_PACKAGES": " ".join(backend.apt_packages),
        "SOURCE_SHA256": source_sha256(backend),
        "VERSION": __version__,
    }
    arguments = ["--file", str(PROJECT / "Dockerfile"), "--tag", image_name(backend)]
    for name, value in settings.items():
        arguments += ["--build-arg", f"{name}={value}"]
    return [*build_options(backend), *arguments, str(context)]


def _install(backend: Backend, packages: list[str], site: Path) -> None:
    """Install some packages of a lock into a folder, from the indexes in use on this machine.

    An image build sees none of the machine's indexes, mirrors and wheel folders.
    """
    entries = backends.entries(backend.lock)
    wanted = site.with_name("changed.txt")
    wanted.write_text("\n".join(entries[name] for name in packages), encoding="utf-8")
    try:
        if packages:
            install_beside(site, wanted, backend.python, platform(backend))
    except UvError as error:
        problem = f"the packages of {backend.name} do not install: {error.readable}"
        if error.of_packages:
            raise DoesNotInstallError(problem) from None
        raise UnavailableError(problem) from None


def _extra_sha256(backend: Backend) -> str | None:
    """Return a key for what a script needs besides, None where that is nothing."""
    if not backend.from_debian:
        return backend.extra_sha256
    parts = (backend.extra, *backend.from_debian)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _has_other_python(backend: Backend) -> bool:
    return backend.python != backend.as_stored.python
