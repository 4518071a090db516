"""What stands in a root after a command, with what a clock or a place decides made the same."""

import fnmatch
import hashlib
import os
import re
import stat
from pathlib import Path

from keras_repro.recorder import contract

OF_A_RUN = (*contract.OWN_ENTRIES, contract.PROGRESS, contract.OUTPUT)
WATCHED = ("project", "cache", "own")
TIMES = re.compile(
    rb'("(?:accepted|started|previous)": )"[^"]*"|("(?:script|total)": )[\d.e-]+|'
    rb'("forked": )\w+|'  # seeds that stand are not verified again, but others
    rb"\d{4}-\d\d-\d\d \d\d:\d\d"
)
# What a command that ended leaves nowhere, however it ended.
PASSING = re.compile(r"\.partial$|\.old$|\.new\b|\.writable-|(^|/)tmp[a-z0-9_]{8}$")
SAYS_WHERE = re.compile(
    r"until the next run, what is left of it lies in \S+\.partial$", re.MULTILINE
)
LARGE = 1 << 22  # beyond, a file is known by its size and its time
FOLDER = "folder"

Tree = dict[str, str]
"""What each path below a root is: a folder, where a link leads, or the digest of a file."""
State = dict[str, tuple[tuple[str, str], ...]]
"""Of each unit that a command replaces, what lies in it."""


def tree(root: Path, watched: tuple[str, ...] = WATCHED) -> Tree:
    """Return what lies below ``root``; nothing is opened that is no regular file."""
    found: Tree = {}
    for name in watched:
        waiting = [str(root / name)]
        while waiting:  # not os.walk, which goes only so deep
            folder = waiting.pop()
            for entry in _listed(folder):
                path = os.path.join(folder, entry)
                place = path[len(str(root)) + 1 :]
                found[place] = _of(path, root)
                if found[place] == FOLDER:
                    waiting.append(path)
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _of(path: str, root: Path) -> str:
    status = os.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        return FOLDER
    if stat.S_ISLNK(status.st_mode):
        return f"link to {os.readlink(path)}"
    if not stat.S_ISREG(status.st_mode):
        return f"special {status.st_mode:o}"
    if status.st_size > LARGE:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    try:
        content = Path(path).read_bytes()
    except PermissionError:
        return f"closed {status.st_size} {status.st_mtime_ns}"
    if b"\0" not in content[:1000]:
        content = TIMES.sub(rb"\1\2\3then", content.replace(os.fsencode(root), b"ROOT"))
    return hashlib.sha256(content).hexdigest()


def units(whole: Tree, patterns: tuple[str, ...]) -> State:
    """Return of each unit, as patterns name them, all that lies in it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(whole):
        for pattern in patterns:
            depth = pattern.count("/") + 1
            parts = path.split("/", depth)
            name = "/".join(parts[:depth])
            if len(parts) >= depth and _matches(name, pattern):
                found.setdefault(name, []).append(("/".join(parts[depth:]), whole[path]))
    return {name: tuple(entries) for name, entries in found.items()}


def _matches(name: str, pattern: str) -> bool:
    """Return whether a path is what a pattern names, part by part; staging is none of its own."""
    pairs = list(zip(name.split("/"), pattern.split("/"), strict=True))
    return all(fnmatch.fnmatchcase(*pair) for pair in pairs) and not pairs[-1][0].startswith(".")


def with_carried(whole: Tree) -> Tree:
    """Return the tree as it is once the next run has carried over what a person put into the last.

    Where a run is killed after it took its place, that lies in its staging folder; or where it
    cannot be moved, which the run says then.
    """
    found = dict(whole)
    for path, what in whole.items():
        above, staging, name = (*path.rsplit("/", 2), "", "")[:3]
        run = staging.removeprefix(".").removesuffix(".partial")
        is_added = f".{run}.partial" == staging and name not in OF_A_RUN
        was_a_run = f"{above}/{staging}/{contract.FACTS}" in whole
        if is_added and was_a_run and f"{above}/{run}" in whole:
            found.setdefault(f"{above}/{run}/{name}", what)
    return found


def outside(whole: Tree, patterns: tuple[str, ...]) -> Tree:
    """Return what lies in no unit."""
    inside = tuple(f"{unit}/" for unit in units(whole, patterns))
    return {path: what for path, what in whole.items() if not f"{path}/".startswith(inside)}


def passing(whole: Tree) -> list[str]:
    """Return the paths that are only to be there while a command runs."""
    return [path for path in whole if PASSING.search(path)]
