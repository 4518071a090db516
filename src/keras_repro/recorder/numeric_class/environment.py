"""What a numeric class is of: the environment, the processor, the threads and the settings.

Where all of this is the same, the class is computed once. What decides about kernels and is no part
of it would give one machine's class to another, so the process that computes gets no variable but
those that are a part of it.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
import re
import sys
from typing import Any, Dict, Mapping

from keras_repro.recorder import contract, cpuid, debian, facts, seeding, theano_compiler

# What numerical libraries read of the environment, by how the names begin.
SETTINGS = re.compile(
    r"(ATEN|BLIS|CUBLAS|CUDA|DNNL|GLIBC|GOMP|GOTO|JAX|KMP|LD|MKL|NPY|NUMEXPR|OMP|ONEDNN|OPENBLAS"
    r"|PYTORCH|TF|THEANO|TORCH|VECLIB|XLA)_.*"
)
# To start at all, and to compile quickly.
NEEDED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", theano_compiler.FOLDER)
KERNELS = (
    "inputs.py",
    "kernels.py",
    "on_*.py",
    "process.py",
    "../theano_march.py",
    "../theano_blas.py",
    "../theano_cache.py",
    "../theano_compiler.py",
)
# A part of the keys of what Theano compiles, and of no kernel.
HASH_SEED = contract.Conditions().seed


def variables(threads: int, environment: Mapping[str, str]) -> Dict[str, str]:
    """Return the variables of the process that computes, of those that the script's has."""
    given = dict(environment)
    given.update(seeding.environment(HASH_SEED, threads, given))
    return {
        name: value for name, value in given.items() if name in NEEDED or SETTINGS.fullmatch(name)
    }


def processor() -> Dict[str, Any]:
    """Return what the processor says of itself, or its system of it."""
    return cpuid.processor() or cpuid.without_cpuid()


def identity(
    backend: str, threads: int, given: Mapping[str, str], of: Mapping[str, Any]
) -> Dict[str, Any]:
    """Return all that the class depends on, as JSON has it.

    ``given`` is what ``variables`` gives, and ``of`` what ``processor`` does: that is told by what
    it can do and by its caches, not by its name. Two of one name differ where a virtual machine
    hides something.
    """
    in_image = os.environ.get("KERAS_REPRO_ENGINE") == "docker"
    return {
        "kernels": _sources(),
        "backend": backend,
        "threads": threads,
        "cores": facts.cores(),
        "settings": {
            name: re.sub(r"(^|,)(base_)?compiledir=[^,]*", "", value).strip(",")
            for name, value in sorted(given.items())
            if SETTINGS.fullmatch(name)
        },
        "processor": {name: value for name, value in of.items() if name != "name"},
        "requirements": facts.file_sha256(os.environ.get("KERAS_REPRO_REQUIREMENTS", "")),
        "extra_requirements": facts.file_sha256(
            os.environ.get("KERAS_REPRO_EXTRA_REQUIREMENTS", "")
        ),
        "packages": facts.installed_packages(sys.path),
        "python": platform.python_version(),
        "libc": _libc(),
        # In an image; elsewhere they are many, and of the machine.
        "debian_packages": debian.installed_packages() if in_image else {},
        "machine": platform.machine(),
        "system": platform.system(),
    }


def key(of: Mapping[str, Any]) -> str:
    """Return the digest of an identity."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def _sources() -> str:
    """Return the digest of the sources of what computes."""
    found, folder = hashlib.sha256(), os.path.dirname(os.path.abspath(__file__))
    paths = [path for pattern in KERNELS for path in glob.glob(os.path.join(folder, pattern))]
    for path in sorted(paths):
        found.update((facts.file_sha256(path) or "").encode())
    return found.hexdigest()


def _libc() -> str:
    """Return the C library's name and version, without a look at Python's binary."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""
