"""A server of command lines: what takes long, the imports, is done once for all of them."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

SERVE = Path(__file__).with_name("serve.py")


class Server:
    """The keras-repro that a Python imports; each command runs in a process of its own.

    A context manager. ``variables`` is the environment in which everything is imported. One command
    at a time.
    """

    def __init__(self, python: str, variables: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, "-P", str(SERVE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            cwd="/",
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{python} does not import keras_repro; what it says is above")
        self.package = Path(json.loads(said)["package"])

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        if exception != (None, None, None):
            self._process.terminate()
        self._process.wait(30)
        self._process.stdout.close()

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        variables: dict[str, str],
        *,
        program: str = "keras_repro",
        reads: str = "",
        seconds: int = 600,
    ) -> "subprocess.CompletedProcess[str]":
        """Return what a command printed, and its exit code; what is no text is escaped."""
        with tempfile.TemporaryDirectory(prefix="served-") as place:
            streams = [Path(place, name) for name in ("stdin", "stdout", "stderr")]
            streams[0].write_text(reads)
            asked = {
                "program": program,
                "arguments": list(arguments),
                "folder": str(folder),
                "variables": variables,
                "streams": list(map(str, streams)),
                "seconds": seconds,
            }
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(asked).encode() + os.linesep.encode())
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            out, err = (path.read_text(errors="backslashreplace") for path in streams[1:])
        return subprocess.CompletedProcess(list(arguments), answer["exit"], out, err)
