"""What is known of the machine and the environment in which a run is made."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
import re
import sys
from types import ModuleType
from typing import Any, Dict, List, Optional

# The instruction sets that numerical libraries choose their kernels by.
INSTRUCTION_SETS = re.compile(r"sse4_[12]|ssse3|avx\w*|fma|f16c|amx\w*|neon|asimd\w*|sve\w*")


def environment_facts() -> Dict[str, Any]:
    """Return Python's, the operating system's and the processor's facts, and every package."""
    return {
        "python": platform.python_version(),
        "os": _os_name(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "cpu": cpu_facts(),
        "packages": installed_packages(sys.path),
    }


def installed_packages(search_path: List[str]) -> Dict[str, str]:
    """Return {name: version} of every distribution on ``search_path``, from its folder's name.

    Read from the names because Python 3.7 has no ``importlib.metadata``; the form is that of
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
    """
    packages: Dict[str, str] = {}
    for folder in reversed(search_path):
        for path in glob.glob(os.path.join(folder, "*.dist-info")):
            name, _, version = os.path.basename(path)[: -len(".dist-info")].partition("-")
            packages[re.sub(r"[-_.]+", "-", name).lower()] = version
    return dict(sorted(packages.items()))


def cpu_facts() -> Dict[str, Any]:
    """Return the processor's model, its instruction sets and how many cores this process has."""
    model, flags = "", ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() in ("model name", "CPU part") and not model:
                    model = value.strip()
                elif name.strip() in ("flags", "Features") and not flags:
                    flags = value
    except OSError:
        model = platform.processor()
    return {
        "model": model or platform.processor(),
        "instruction_sets": sorted(filter(INSTRUCTION_SETS.fullmatch, flags.split())),
        "cores": cores(),
    }


def cores() -> int:
    """Return how many cores this process may use; where the system does not say, all there are."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def file_sha256(path: str) -> Optional[str]:
    """Return the SHA-256 of a file in hexadecimal, or None where there is no such file.

    Raises:
        OSError: it is there and cannot be read: no hash must not stand for that.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return digest.hexdigest()


def modules_below(folder: str, script: str) -> Dict[str, str]:
    """Return {relative path: SHA-256} of each module that was imported from below ``folder``.

    Without the script itself; of this process, now.
    """
    folder = os.path.realpath(folder)
    found: Dict[str, str] = {}
    for module in list(sys.modules.values()):
        path = vars(module).get("__file__")  # to ask a lazy module for it may be to import it
        if not isinstance(path, str) or not path.endswith(".py"):
            continue
        # Not abspath: the script may have left the folder, or removed the one it went to.
        path = os.path.relpath(os.path.normpath(os.path.join(folder, path)), folder)
        digest = None if path.startswith(os.pardir) else file_sha256(os.path.join(folder, path))
        if digest is not None and path != os.path.normpath(script):
            found[path] = digest
    return dict(sorted(found.items()))


def keras_facts(keras: Optional[ModuleType]) -> Dict[str, Any]:
    """Return the version, backend and configuration of the Keras that the script used."""
    if keras is None:
        return {"version": None, "backend": None}
    backend = keras.backend
    return {
        "version": keras.__version__,
        "backend": backend.backend(),
        "floatx": backend.floatx(),
        "epsilon": backend.epsilon(),
        "image_data_format": backend.image_data_format(),
    }


def _os_name() -> str:
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            match = re.search(r'^PRETTY_NAME="?([^"\n]+)', file.read(), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1) if match else platform.platform()
