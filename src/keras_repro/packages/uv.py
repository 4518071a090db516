"""Call uv, with the package index and the wheel folders that pip is told of."""

import os
import re
import subprocess
from pathlib import Path

from uv import find_uv_bin

from keras_repro.packages import index_settings

LOCK = Path(__file__).with_name("uv.txt")  # of uv itself, for the images and for make
BUILD_CONSTRAINTS = Path(__file__).with_name("build-constraints.txt")
UNSATISFIABLE = re.compile(r"No solution found|unsatisfiable|incompatible|[Cc]onflict")
# What a package is to blame for, and no network, disk or permission.
OF_PACKAGES = re.compile(
    r"[Ff]ailed to (build|install)|has no wheels|no (matching|compatible|usable) (wheel|dist)|"
    r"[Hh]ash mismatch|[Bb]uild backend|requires-python|not compatible|doesn't have a .*wheel"
)
ELSEWHERE = re.compile(
    r"error sending request|[Ff]ailed to fetch|[Cc]onnection|timed out|dns error|"
    r"No space left|Permission denied"
)
LONGEST = 600


class UvError(Exception):
    """uv failed; ``text`` is what it said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    @property
    def unsatisfiable(self) -> bool:
        """Whether no set of packages is what was asked for."""
        return UNSATISFIABLE.search(self.text) is not None

    @property
    def of_packages(self) -> bool:
        """Whether the packages are the reason, so that it will go no better another time."""
        if self.unsatisfiable:
            return True
        return bool(OF_PACKAGES.search(self.text)) and not ELSEWHERE.search(self.text)

    @property
    def readable(self) -> str:
        """What uv says in one line, without its drawings."""
        line = " ".join(re.sub(r"[×╰─▶│├]", " ", self.text).split()).removeprefix("error: ")
        line = re.sub(r"://[^/@\s]+@", "://", line)  # no password
        # Its last sentences say what it comes down to.
        return line if len(line) <= LONGEST else f"{line[:100]} … {line[-LONGEST:]}"


def uv(*arguments: str, **variables: str) -> None:
    """Run uv, which downloads no Python. Raises UvError."""
    settings = index_settings.in_use()
    environment = {**os.environ, **dict(settings.variables), **variables}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    command = [find_uv_bin(), *arguments]
    if settings.no_index and arguments[:2] in (("pip", "compile"), ("pip", "install")):
        command.append("--no-index")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UvError(done.stderr.strip() or "uv said nothing")
