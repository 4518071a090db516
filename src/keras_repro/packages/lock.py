"""Write a backend's hash-locked requirements.txt from its requirements.in, with uv."""

import subprocess

from uv import find_uv_bin

from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError

PLATFORM = "x86_64-manylinux_2_28"


def lock(backend: Backend) -> None:
    """Resolve and write the lock: every file's hash, and no index's address.

    Raises:
        UnavailableError: uv finds no set of packages; what was there stands as it was.
    """
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--python-platform", PLATFORM]
    command += ["--python-version", backend.python, "--output-file", "requirements.txt"]
    result = subprocess.run(
        [*command, "requirements.in"],
        cwd=backend.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = " ".join(result.stderr.split())[:400]
        raise UnavailableError(f"cannot lock {backend.name}: {lines}")
