"""Run a case on a version, and return what it printed, how it ended and what it wrote.

What is no two times the same, or on no two machines, is replaced: times, folders, and of a run
that was really made what it says of the machine.
"""

import hashlib
import json
import os
import re
import tempfile
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.old_version.steps import Case, Command
from tests.served import Server

NOWHERE = "unix:///nowhere/docker.sock"
FORGOTTEN = re.compile(
    r"KERAS_REPRO_|PYTEST_|CI$|COLUMNS$|LINES$|NO_COLOR$|FORCE_COLOR$|TTY_|TERM$"
)
# Said on stderr after two seconds, by a machine that is busy.
PATIENCE = re.compile(
    r"(comparing|comparing and drawing|resolving|removing|looking for .*)\n", re.M
)
# Said while it is done, more or less often.
PROGRESS = re.compile(
    r"^\S+( \S+)*: (looking for Python|installing|starting|importing|training|building|waiting|"
    r"resolving|done|failed).*\n",
    re.M,
)
OF_RUN = [
    (re.compile(r"(environments/\w+-)[0-9a-f]{16}"), r"\1<key>"),
    (re.compile(r"lock [0-9a-f]{12} -> [0-9a-f]{12}"), "lock <hash> -> <hash>"),
    (re.compile(r"(probes/)[0-9a-f]{24}"), r"\1<key>"),
    (
        re.compile(r"-?\d+\.\d(?=  ?(trained|FAILED|same bits|NOT REPEATED|up to date))"),
        "<seconds>",
    ),
    (re.compile(r"(?<=, )\d+\.\d s\b"), "<seconds>"),
    (re.compile(r"\bin \d+ s\b"), "in <seconds>"),
    (re.compile(r"\b\d+ environments and \d+ runs, [\d,.]+ [MG]B"), "<what is kept>"),
]
OF_MACHINE = {  # in the facts of a run
    *("recorder_sha256", "image", "kernel", "started", "cpu", "libc", "os", "machine", "python"),
    *("packages", "requirements_sha256", "extra_requirements_sha256"),
}


class Version:
    """A version of keras-repro, behind the Python that imports it. A context manager."""

    def __init__(self, python: str, cache: Path) -> None:
        self._cache = cache
        kept = {k: v for k, v in os.environ.items() if not FORGOTTEN.match(k)}
        uv_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv"
        self._variables = {
            "UV_CACHE_DIR": str(uv_cache),
            **kept,
            "COLUMNS": "160",
            "DOCKER_HOST": NOWHERE,
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(cache),
        }
        self._server = Server(python, self._variables)
        self.package = self._server.package
        self._today = datetime.now(UTC)

    def __enter__(self) -> "Version":
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.__exit__(*exception)

    def outcome(self, case: Case) -> dict[str, Any]:
        """Return what became of a case: of each command, what it printed and wrote."""
        with tempfile.TemporaryDirectory(prefix="old-") as place:
            folder = Path(place, "work")
            folder.mkdir()
            steps = []
            for step in case.steps:
                if not isinstance(step, Command):
                    step(folder)
                    continue
                before = _files(folder)
                said = self._step(case, step, folder)
                after = _files(folder)
                gone = {name: None for name in before if name not in after}
                new = {
                    name: self._content(folder, name, case)
                    for name, state in after.items()
                    if before.get(name) != state
                }
                if gone or new:
                    said["written"] = dict(sorted({**gone, **new}.items()))
                steps.append(said)
            return {"steps": steps}

    def _step(self, case: Case, command: Command, folder: Path) -> dict[str, Any]:
        own = {k: v.replace("<folder>", str(folder)) for k, v in command.variables.items()}
        done = self._server.run(
            [part.replace("<folder>", str(folder)) for part in command.arguments],
            folder,
            {**self._variables, **own},
            program=command.program,
            reads=command.reads,
            seconds=case.seconds,
        )
        said: dict[str, Any] = {"command": command.line, "exit": done.returncode}
        out, err = done.stdout, done.stderr
        if out.startswith("{"):
            said["document"] = self._value(json.loads(out), folder)
        elif out:
            said["stdout"] = self._text(out, folder, case.trains)
        err = PATIENCE.sub("", err)
        if err:
            said["stderr"] = self._text(err, folder, case.trains)
        return said

    def _text(self, text: str, folder: Path, trained: bool = False) -> str:
        for path, name in (
            (folder, "<folder>"),
            (self._cache, "<cache>"),
            (self.package, "<package>"),
        ):
            text = text.replace(str(path), name)
        for day in (self._today, self._today + timedelta(1)):
            date = re.escape(day.date().isoformat())
            text = re.sub(rf"\b{date}([T ]\d\d:\d\d(:\d\d)?([+]00:00)?)?", "<now>", text)
        if "<now>" in text:  # a table folds what it says of an acceptance
            text = re.sub(r"^\d\d:\d\d", "<now>", text, flags=re.M)
        if trained:
            text = PROGRESS.sub("", text)
            for pattern, name in OF_RUN:
                text = pattern.sub(name, text)
        return text

    def _value(self, value: Any, folder: Path, trained: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                self._text(key, folder): _of_run(key, part)
                if trained and _of_run(key, part) is not None
                else self._value(part, folder, trained)
                for key, part in value.items()
            }
        if isinstance(value, list):
            return [self._value(part, folder, trained) for part in value]
        return self._text(value, folder, trained) if isinstance(value, str) else value

    def _content(self, folder: Path, name: str, case: Case) -> Any:
        """Return what a file holds, as far as it is looked at."""
        path = folder / name
        if path.is_symlink():
            return "a link"
        if path.suffix == ".json":
            return self._value(json.loads(path.read_text()), folder, case.trains)
        if path.suffix == ".npz":
            return arrays_in(path)
        if path.suffix == ".toml":
            text = path.read_text()
            settings = sorted(set(re.findall(r'^# ("?[a-z_*/]+"?) =|^# (\[.*\])', text, re.M)))
            return {"says": tomllib.loads(text), "offers": ["".join(pair) for pair in settings]}
        if path.name == "log.txt":
            lines = path.read_text(errors="backslashreplace").splitlines()
            return self._text("".join(lines[-1:]), folder, case.trains)
        return "a file"


def arrays_in(path: Path) -> dict[str, list[Any]]:
    """Return of each array in an npz its dtype, its shape and the digest of its bytes."""
    with np.load(path, allow_pickle=False) as archive:
        return {
            name: [
                str(archive[name].dtype),
                list(archive[name].shape),
                hashlib.sha256(archive[name].tobytes()).hexdigest()[:16],
            ]
            for name in sorted(archive.files)
        }


def _of_run(key: str, value: Any) -> Any:
    """Return what stands for a value that another machine or another day has another one of."""
    if key in OF_MACHINE and value:
        return "<of the machine>"
    if key == "keras" and isinstance(value, dict):
        return {**value, "version": "<version>"}
    if key == "durations":
        return {name: "negative" if took < 0 else "<seconds>" for name, took in value.items()}
    if key == "environment" and "processor" in value:  # of a baseline's history
        return sorted(value)
    return None


def _files(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if ".git" in parts or "__pycache__" in parts or (path.is_dir() and not path.is_symlink()):
            continue
        state = path.lstat()
        found["/".join(parts)] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return found
