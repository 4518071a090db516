"""What may be built on this machine: a wheel runs nothing where it is installed, a source does.

https://packaging.python.org/en/latest/discussions/package-formats/
"""

import os
import re

from packaging.utils import canonicalize_name

from keras_repro.backends import Backend

VARIABLE = "KERAS_REPRO_MAY_BUILD"
REFUSED = re.compile(
    r"Wheels are required for `([\w.-]+)`|"
    r"Building source distributions(?: for `([\w.-]+)`)? is disabled"
)
OWN = ("theano",)  # of the backends' own packages, whose files' hashes are locked, a source


def wheels_alone(backend: Backend) -> list[str]:
    """Return uv's options that have it take wheels alone, but for what may be built."""
    may = [name for name in OWN if name in backend.locked]
    may += map(canonicalize_name, os.environ.get(VARIABLE, "").split())
    options = ["--only-binary", ":all:"]
    for name in may:
        options += ["--no-binary", name]
    return options


def refusal(text: str, backend: Backend) -> str | None:
    """Return what to say where uv's text says that something would have to be built, or None."""
    found = REFUSED.search(text)
    if found is None:
        return None
    name = found.group(1) or found.group(2)
    allow = f"; ask for another release, or allow it: {VARIABLE}={name}" if name else ""
    name = name or "a requirement that is a folder or an address"
    return (
        f"{name} has no wheel for Python {backend.python}, and building it would run its code on "
        f"this machine{allow}"
    )
