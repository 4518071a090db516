"""Install locked packages with uv: into an environment of this machine, or into a plain folder."""

from collections.abc import Iterable
from pathlib import Path

from keras_repro.backends import Platform
from keras_repro.packages import platforms
from keras_repro.packages.uv import BUILD_CONSTRAINTS, uv


def make_environment(folder: Path, interpreter: Path) -> None:
    """Make an empty environment, which can be renamed when it is whole. Raises UvError."""
    uv("venv", "--quiet", "--relocatable", "--python", str(interpreter), str(folder))


def install(environment: Path, lock: Path, *options: str) -> None:
    """Install what a lock has into an environment. Raises UvError."""
    _install(lock, "--python", str(environment), *options)


def uninstall(environment: Path, packages: Iterable[str]) -> None:
    """Remove packages from an environment. Raises UvError."""
    uv("pip", "uninstall", "--quiet", "--python", str(environment), *packages)


def install_beside(folder: Path, lock: Path, python: str, platform: Platform) -> None:
    """Install what a lock has into a plain folder, for a Python of any platform. Raises UvError."""
    _install(
        *(lock, "--no-deps", "--target", str(folder), "--python-version", python),
        *("--python-platform", platforms.uv_name(platform)),
    )


def _install(lock: Path, *options: str) -> None:
    # Copies, not links: through one, a script would change the cache and all that is made of it.
    command = ["pip", "install", "--quiet", "--require-hashes", "--link-mode", "copy", *options]
    command += ["--build-constraints", str(BUILD_CONSTRAINTS), "--requirements", str(lock)]
    uv(*command)
