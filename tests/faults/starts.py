"""Start a command, armed with a fault or not: by a fork of a Python that has imported it all."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.faults.faults import Fault
from tests.served import Server

ROOT = Path(__file__).parents[2]
SECONDS = 10  # beyond, a command hangs
PASSED = ("PATH", "LANG", "LC_ALL", "PYTHONPATH")


class Setting(NamedTuple):
    """What all trials share: the library, a package index, caches that no trial is about."""

    folder: Path

    @property
    def library(self) -> Path:
        return self.folder / "inject.so"

    @property
    def index(self) -> Path:
        return self.folder / "index"

    def variables(self, root: Path) -> dict[str, str]:
        """Return the environment of a command whose files all lie below ``root``."""
        return {
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            "FAULTS_ROOT": str(root),
            "FAULTS_SCRIPT": "completed",
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "XDG_CACHE_HOME": str(root / "cache"),
            "COLUMNS": "100",
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": str(self.folder / "matplotlib"),
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_DEFAULT_INDEX": (self.index / "simple").as_uri(),
            "UV_NO_CONFIG": "1",
            "PIP_FIND_LINKS": "",
            "PIP_CONFIG_FILE": os.devnull,
        }

    def server(self) -> Server:
        """Return a server of commands; each of its children may be armed."""
        preloaded = {"LD_PRELOAD": str(self.library)}
        return Server(sys.executable, {**os.environ, **self.variables(self.folder), **preloaded})


class Done(NamedTuple):
    """How a command ended; below 0, by which signal."""

    code: int
    output: str


class Call(NamedTuple):
    """A command: a module, its arguments, its folder and what its environment has besides."""

    program: str
    words: tuple[str, ...]
    folder: Path
    more: dict[str, str]
    seconds: int = SECONDS

    def start(
        self,
        setting: Setting,
        root: Path,
        server: Server | None,
        fault: Fault | None = None,
        side: Path | None = None,
    ) -> Done:
        """Run it to its end; without a ``server``, by a real start."""
        variables = {**setting.variables(root), **self.more}
        if fault is not None:
            assert side is not None
            variables |= fault.variables(root, side)
        if server is not None:
            done = server.run(
                self.words, self.folder, variables, program=self.program, seconds=self.seconds
            )
            return Done(done.returncode, done.stdout + done.stderr)
        if fault is not None:  # of the server's children it is a part already
            variables["LD_PRELOAD"] = str(setting.library)
        try:
            real = subprocess.run(
                [sys.executable, "-m", self.program, *self.words],
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=3 * self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Done(-14, "it hangs")
        return Done(real.returncode, real.stdout.decode("utf-8", "backslashreplace"))
