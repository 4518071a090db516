"""A fault, and the operations that it may be put at."""

import os
import re
from pathlib import Path
from typing import NamedTuple

LIBRARY = "inject.so"
LIST = "list"
KILLS = ("kill-before", "kill-after")
READS = frozenset(("open", "read"))  # these change nothing
NEED_ROOM = frozenset(
    ("open-w", "write", "mkdir", "rename", "link", "symlink", "truncate", "fsync")
)
HAVE_RIGHTS = frozenset(
    ("open", "open-w", "mkdir", "rename", "unlink", "rmdir", "link", "symlink", "chmod", "chown")
)
SIZED = frozenset(("write", "read"))
LEFT_BY_SCRIPT = re.compile(r"/tmp/keras-repro-[^/]+/work/")
# These must each be hit at least once, of every command.
MUST_BE_HIT = frozenset(("write", "rename", "fsync"))


class Operation(NamedTuple):
    """The ``number``-th operation of a process below the watched folder, from 1."""

    number: int
    name: str
    path: str


class Fault(NamedTuple):
    """What goes wrong, and at which operation."""

    kind: str
    number: int

    def variables(self, watched: Path, side: Path) -> dict[str, str]:
        """Return what arms a process that has the library; ``side`` then tells what it did."""
        return {
            "FAULTS_WATCH": os.path.realpath(watched),
            "FAULTS_KIND": self.kind,
            "FAULTS_AT": str(self.number),
            "FAULTS_SIDE": str(side),
        }


LISTING = Fault(LIST, 0)


def kinds_at(operation: Operation) -> list[str]:
    """Return the faults that an operation may meet."""
    kinds = ["io"]
    kinds += KILLS if operation.name not in READS else ()
    kinds += ["full"] if operation.name in NEED_ROOM else []
    # What a script left closed is left out of its run, which says so.
    closed = operation.name == "open" and LEFT_BY_SCRIPT.search(operation.path)
    kinds += ["denied"] if operation.name in HAVE_RIGHTS and not closed else []
    kinds += ["short"] if operation.name in SIZED else []
    return kinds


def told(side: Path) -> list[Operation]:
    """Return the operations that a process has told of."""
    if not side.exists():
        return []
    lines = [line.split("\t", 2) for line in side.read_text(errors="replace").splitlines()]
    return [Operation(int(line[0]), *line[1:]) for line in lines if len(line) == 3]
