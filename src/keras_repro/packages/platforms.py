"""The platform of a backend, as uv names it and as wheels do."""

from functools import cache

from packaging.tags import Tag, compatible_tags, cpython_tags

from keras_repro.backends import Platform

MACHINES: dict[Platform, str] = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
GLIBC_MINOR = 28  # 2.28: what today's wheels ask for; the images' Debian has a newer one
# Names of the time before PEP 600, https://peps.python.org/pep-0600/#legacy-manylinux-tags.
LEGACY: dict[Platform, tuple[str, ...]] = {
    "linux/amd64": ("manylinux2014", "manylinux2010", "manylinux1"),
    "linux/arm64": ("manylinux2014",),
}


def uv_name(platform: Platform) -> str:
    """Return the value of uv's ``--python-platform``."""
    return f"{MACHINES[platform]}-manylinux_2_{GLIBC_MINOR}"


@cache
def wheel_tags(python: str, platform: Platform) -> frozenset[Tag]:
    """Return the tags of the wheels that a Python ("3.8") of that platform can install.

    The form is that of https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/.
    """
    major, minor = map(int, python.split("."))
    machine = MACHINES[platform]
    platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in range(GLIBC_MINOR, 4, -1)]
    platforms += [f"{name}_{machine}" for name in (*LEGACY[platform], "linux")]
    interpreter = f"cp{major}{minor}"
    abi = f"{interpreter}m" if (major, minor) < (3, 8) else interpreter
    return frozenset(
        {
            *cpython_tags((major, minor), [abi], platforms),
            *compatible_tags((major, minor), interpreter, platforms),
        }
    )
