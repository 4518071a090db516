"""Find in BuildKit's plain progress how far the build of an image is, and what its error was."""

import re

from keras_repro.engines import Say

STEP = re.compile(r"#\d+ \[")  # a step begins; else it is a line of what the step prints
# What apt-get says of an error, also where BuildKit repeats it at the end.
OF_APT = re.compile(r"^(?:#\d+ )?[\d.]+ E: (.*)$", re.MULTILINE)
# The ways in which what was asked for, and not the way to it, is what is wrong.
REFUSED = re.compile(
    r"there is no package|has no installation candidate|Version '.*' for '.*' was not found"
    r"|Unable to correct problems|held broken packages|Packages need to be removed"
    r"|Packages were downgraded"
)


def say_step(line: str, say: Say) -> None:
    """Say which step begins, or what a long one is at; nothing of all other lines."""
    if "system.sh" in line:
        say("building the image: installing system packages")
    elif "uv pip install" in line or "Downloading" in line or "Installed" in line:
        say("building the image: installing packages")
    elif "warm.sh" in line:
        say("building the image: filling its caches")
    elif STEP.match(line):
        say("building the image")


def refused(tail: str) -> str:
    """Return why Debian's packages cannot be installed, empty where that is no fault of theirs."""
    return next((said for said in _of_apt(tail) if REFUSED.search(said)), "")


def error(tail: str) -> str:
    """Return the line of a failed build that says most: apt's own, else the last with an error."""
    lines = [line.strip() for line in tail.splitlines() if "error" in line.lower()]
    said = _of_apt(tail) or lines or tail.strip().splitlines() or ["it said nothing"]
    return said[-1][:300]


def _of_apt(tail: str) -> list[str]:
    return [said.strip()[:300] for said in OF_APT.findall(tail)]
