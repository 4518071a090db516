"""Find the Python that a backend needs: on PATH, in pyenv, or through uv."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from uv import find_uv_bin


@cache
def find(version: str) -> Path | None:
    """Return the interpreter of this Python version ("3.8"), or None where none is installed."""
    candidates = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python{version}")))
    for candidate in candidates:
        if candidate and (found := _ask(candidate, version)):
            return found
    managed = subprocess.run(
        [find_uv_bin(), "python", "find", "--no-project", "--managed-python", version],
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(managed.stdout.strip()) if managed.returncode == 0 else None


def install(version: str) -> bool:
    """Have uv download that Python; return whether it could."""
    done = subprocess.run(
        [find_uv_bin(), "python", "install", version], capture_output=True, check=False
    )
    find.cache_clear()
    return done.returncode == 0


def _ask(candidate: str, version: str) -> Path | None:
    """Return where this interpreter really lies; a pyenv shim may stand for none."""
    question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    try:
        answer = subprocess.run(
            [candidate, "-c", question], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found, _, path = answer.stdout.strip().partition(" ")
    return Path(path) if answer.returncode == 0 and found == version else None
