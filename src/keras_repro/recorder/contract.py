"""The contract between the recorder, inside, and the harness, outside: all that both must know.

The outside imports nothing else of the recorder. The standard library alone, on Python 3.7.
"""

from __future__ import annotations

import ctypes
import glob
import hashlib
import os
import re
from enum import Enum
from typing import Iterable, List, Mapping, NamedTuple, Tuple

from keras_repro.recorder.conditions import (
    CONDITIONS,
    MAX_SEED,
    Condition,
    Conditions,
    most_processes,
    seconds,
    size,
    whole_number,
)
from keras_repro.recorder.plants import PLANTS
from keras_repro.recorder.variables import (
    OWN_VARIABLES,
    RECORDED_VARIABLES,
    SECRET,
    SETTINGS,
    THREAD_VARIABLES,
    variable,
    without_secrets,
)

__all__ = [  # of what stands elsewhere
    "CONDITIONS",
    "MAX_SEED",
    "OWN_VARIABLES",
    "PLANTS",
    "RECORDED_VARIABLES",
    "SECRET",
    "SETTINGS",
    "THREAD_VARIABLES",
    "Condition",
    "Conditions",
    "most_processes",
    "seconds",
    "size",
    "variable",
    "whole_number",
    "without_secrets",
]

SCHEMA_VERSION = 1
SUMMARIES_SCHEMA = 2  # of a run or a baseline that has summaries: an older reader is to refuse it
NEWEST_SCHEMA = 2  # that is read

ARRAYS = "arrays.npz"
SAMPLES = "samples.npz"  # of arrays that are too large to be kept: a sample of each
SAMPLE = 4096  # elements
INPUTS = "inputs.npz"  # what models were tested with and asked to predict, where it is small
FACTS = "run.json"
TRAIL = "trail.json"  # where the numbers came from: docs/reference/trail.md
MOST_TRAIL_BYTES = 256 << 10
QEMU, QEMU_PACKAGE = "qemu-x86_64", "qemu-user"  # emulates another processor: emulated.py
LOG, FIGURES = "log.txt", "figures"
FILES = "files"  # what the script wrote
PARITY = "parity.npz"  # what each layer computed, where that was asked for
PARITY_FACTS = "parity.json"
PARITY_SCHEMA = 2  # of the latter; parity always runs anew, so none but this is read
PARITY_REFERENCE = "reference"  # what --parity is given in the run whose weights others begin from
ANOTHER_SHAPE, ANOTHER_KIND = "another shape", "another kind"  # there, where no figure can be
NOT_REPEATED = "not-repeated.json"  # the harness' own: another run parted from this one
PROGRESS, OUTPUT = "progress", "output"  # only while it is written; what the script writes to
COMPUTING_CLASS = "class"  # in PROGRESS, while the numeric class is computed: seconds, once
WRITTEN = (ARRAYS, SAMPLES, INPUTS, TRAIL, PARITY, PARITY_FACTS)  # by the script's process
OWN_ENTRIES = (
    ARRAYS,
    SAMPLES,
    INPUTS,
    FACTS,
    TRAIL,
    LOG,
    FIGURES,
    FILES,
    PARITY,
    PARITY_FACTS,
    NOT_REPEATED,
)

COMPLETED, FAILED = "completed", "failed"  # outcomes
FAILED_ENDING = ".failed"  # of the folder of a failed run beside a good one
OVER_LIMIT = "than its limit of"  # in the reason of a run that a limit ended
EXIT_USAGE, EXIT_FAILED, EXIT_CANNOT_WRITE, EXIT_INTERRUPTED = 2, 4, 7, 130
EXIT_NOT_FORKED = 75  # of one of several runs: it has to be made alone (EX_TEMPFAIL of sysexits.h)
ENDED = "keras-repro-ended"  # in the line by which a recorder of several runs says how one ended

DEFAULT_WORKLOAD = "regression"  # of those that come with keras-repro


class Kind(Enum):
    """What an array is; the value is the folder that its name begins with, of its model."""

    COST = "costs"
    TEST = "tests"  # what a model was tested with: in inputs.npz, never compared
    METRIC = "metrics"
    HISTORY = "history"
    INITIAL_WEIGHT = "initial_weights"
    WEIGHT = "weights"
    PREDICTION = "predictions"
    OWN = ""  # what the script handed over under a name of its own

    @property
    def group(self) -> str:
        """The word under which arrays of this kind are judged together: a column of a matrix."""
        return GROUP_OF.get(self, self.value)


GROUP_OF = {Kind.TEST: "costs", Kind.HISTORY: "metrics", Kind.INITIAL_WEIGHT: "weights"}
GROUP_OF[Kind.OWN] = "own arrays"
GROUPS = ("costs", "metrics", "weights", "predictions", "own arrays")


class ArrayName(NamedTuple):
    """The name of an array in ``arrays.npz``: ``model2/weights/0.dense.kernel``.

    ``model`` counts from 1 in the order of first use; the first has no folder. ``rest`` is what
    follows the kind's folder; of an own array the whole name.
    """

    model: int
    kind: Kind
    rest: str

    def __str__(self) -> str:
        if self.kind is Kind.OWN:
            return self.rest
        return "%s%s/%s" % (self.prefix, self.kind.value, self.rest)

    @classmethod
    def parse(cls, text: str) -> ArrayName:
        """Return the name that ``text`` is; what no recorder wrote is an own array's."""
        match = NAME.fullmatch(text)
        parts = match.groups() if match else (1, "", text)
        return cls(int(parts[0] or 1), Kind(parts[1]), parts[2])

    @property
    def prefix(self) -> str:
        """What the names of this model's arrays begin with: nothing for the first model."""
        return "" if self.model == 1 else "model%d/" % self.model

    @property
    def is_per_step(self) -> bool:
        """Whether the array has a value for each training step."""
        if self.kind is Kind.METRIC:
            return self.rest.startswith(TRAIN + ".")
        return self.kind is Kind.COST and self.rest == TRAIN


def in_order(name: str) -> List[Tuple[str, int, str]]:
    """Return the key that sorts names with the numbers in them as numbers: 9.dense, 10.dense."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [
        (text, int(digits or 0), digits) for text, digits in zip(parts[::2], parts[1::2] + [""])
    ]


def count_of(shape: Iterable[int]) -> int:
    """Return how many elements an array of this shape has."""
    count = 1
    for side in shape:  # as Python's own integers, which do not overflow
        count *= int(side)
    return count


def sample_places(size: int) -> List[int]:
    """Return which elements of an array of ``size`` are its sample, in C order.

    ``SAMPLE`` of them, evenly spread from the first to the last; of a smaller array all.
    """
    count = min(SAMPLE, size)
    return [index * (size - 1) // max(count - 1, 1) for index in range(count)]


TRAIN, TEST = "train", "test"  # the two phases that have costs and metrics
FOLDERS = "|".join(kind.value for kind in Kind if kind.value)
NAME = re.compile(r"(?:model([2-9]|[1-9][0-9]+)/)?(%s)/(.+)" % FOLDERS, re.DOTALL)
RESERVED = re.compile(r"(model[0-9]+|%s)(/.*)?" % FOLDERS)  # what no own array may be called
TRAIN_COSTS = str(ArrayName(1, Kind.COST, TRAIN))
TEST_COSTS = str(ArrayName(1, Kind.COST, TEST))


def lacking(wanted: Iterable[str], there: Mapping[str, str]) -> List[str]:
    """Return which Debian packages, each NAME or NAME=VERSION, are not among {name: version}."""
    found = {"%s=%s" % item for item in there.items()} | set(there)
    return [one for one in wanted if one not in found]


def launch(module: str) -> str:
    """Return what ``python -c`` is given to run a recorder's module: ``main`` of its arguments.

    As -m does, but without the present folder on sys.path, where anything may shadow a module.
    """
    return (
        "import sys; del sys.path[0]; from keras_repro.recorder.%s import main; "
        "sys.exit(main(sys.argv[1:]))" % module
    )


def workload_name(script: str) -> str:
    """Return the name under which the runs of ``script`` are kept: its file name, made safe.

    Letters, digits, ``.``, ``_`` and ``-`` survive; the first is no dot: it is one visible folder.
    """
    stem = os.path.splitext(os.path.basename(script))[0]
    return re.sub(r"^[.-]+", "", re.sub(r"[^\w.-]+", "-", stem)) or "script"


def module_file(module: str, folder: str) -> str:
    """Return the file that ``python -m module`` runs from a folder, relative to it."""
    path = module.replace(".", os.sep)
    package = os.path.join(path, "__main__.py")
    return package if os.path.isfile(os.path.join(folder, package)) else path + ".py"


def failed_folder(out: str) -> str:
    """Return where a failed run goes when ``out`` holds a good one, which it must not replace."""
    return out + FAILED_ENDING


def staging_folder(out: str) -> str:
    """Return the folder in which a run for ``out`` is written before it is renamed."""
    parent, name = os.path.split(out)
    return os.path.join(parent, "." + name + ".partial")


def exchange(first: str, second: str) -> None:
    """Swap two folders in one step: renameat2(2), which Python does not wrap. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        at_fdcwd, rename_exchange, names = -100, 2, (os.fsencode(first), os.fsencode(second))
        if libc.renameat2(at_fdcwd, names[0], at_fdcwd, names[1], rename_exchange) == 0:
            return
    # Without it: two renames, and the old is aside for the moment between.
    os.rename(second, aside(first))
    try:
        os.rename(first, second)
    except OSError:
        os.rename(aside(first), second)
        raise
    os.rename(aside(first), first)


def aside(staging: str) -> str:
    """Return where the old folder is while two that cannot be swapped in one step are renamed."""
    return staging + ".old"


def recorder_sha256() -> str:
    """Return the SHA-256 over the recorder's own source files, nested ones too, in hexadecimal."""
    root = os.path.dirname(os.path.abspath(__file__))
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(root, "**", "*.py"), recursive=True)):
        digest.update(os.path.relpath(path, root).encode() + b"\0")
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()
