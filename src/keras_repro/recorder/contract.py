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
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Tuple

SCHEMA_VERSION = 1

ARRAYS = "arrays.npz"
INPUTS = "inputs.npz"  # what models were tested with and asked to predict, where it is small
FACTS = "run.json"
LOG, FIGURES = "log.txt", "figures"
FILES = "files"  # what the script wrote
PARITY = "parity.npz"  # what each layer computed, where that was asked for
PARITY_FACTS = "parity.json"
PARITY_SCHEMA = 2  # of the latter; parity always runs anew, so none but this is read
PARITY_REFERENCE = "reference"  # what --parity is given in the run whose weights others begin from
ANOTHER_SHAPE, ANOTHER_KIND = "another shape", "another kind"  # there, where no figure can be
NOT_REPEATED = "not-repeated.json"  # the harness' own: another run parted from this one
PROGRESS = "progress"  # only while it is being written
OWN_ENTRIES = (ARRAYS, INPUTS, FACTS, LOG, FIGURES, FILES, PARITY, PARITY_FACTS, NOT_REPEATED)

COMPLETED, FAILED = "completed", "failed"  # outcomes
OVER_LIMIT = "than its limit of"  # in the reason of a run that a limit ended
EXIT_USAGE, EXIT_FAILED, EXIT_CANNOT_WRITE, EXIT_INTERRUPTED = 2, 4, 7, 130

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


TRAIN, TEST = "train", "test"  # the two phases that have costs and metrics
FOLDERS = "|".join(kind.value for kind in Kind if kind.value)
NAME = re.compile(r"(?:model([2-9]|[1-9][0-9]+)/)?(%s)/(.+)" % FOLDERS, re.DOTALL)
RESERVED = re.compile(r"(model[0-9]+|%s)(/.*)?" % FOLDERS)  # what no own array may be called
TRAIN_COSTS = str(ArrayName(1, Kind.COST, TRAIN))
TEST_COSTS = str(ArrayName(1, Kind.COST, TEST))


class Condition(NamedTuple):
    """One thing besides workload and backend that a run depends on and that a user may choose.

    The command line's option, the key of a workload's configuration, the recorder's argument, the
    recorded fact, staleness, the key of kept trials and the cause that is named come from it.
    """

    name: str  # in Python, in the configuration and, with dashes, of the option
    metavar: str
    read: Callable[[str], Any]  # one text of a command line; ValueError says what is wrong
    help: str
    default: Any = None
    types: Tuple[type, ...] = (str, int, float)  # that a configuration may give
    changes_numbers: bool = True  # else it is not recorded, makes nothing stale, enters no key
    is_late: bool = False  # a cause only after packages and processor
    option: str = ""  # where it is not the name
    says: str = ""  # in words, where they are not the name
    many: Any = None  # what collects the values of a repeatable option: tuple, dict
    parts: int = 1  # words that one value takes on the recorder's command line; 0: it has no option
    words: Callable[[Any], List[Any]] = lambda value: [str(value)]  # the inverse of read
    shown: Any = lambda value: value  # what run.json has under the name; None: no fact of its own

    @property
    def flag(self) -> str:
        """The option, as in ``--time-limit``."""
        return "--" + (self.option or self.name.replace("_", "-"))

    @property
    def in_words(self) -> str:
        """What a cause is called, and what a stale run has another of."""
        return self.says or self.name.replace("_", " ")

    @property
    def is_fact(self) -> bool:
        """Whether ``run.json`` has it under its name."""
        return self.changes_numbers and self.shown is not None

    def each(self, value: Any) -> List[Any]:
        """Return the values of which each is one option: one, or none where none was chosen."""
        if self.many is dict:
            return list(value.items())
        return list(value) if self.many else [] if value is None else [value]

    def recorded(self, facts: Any) -> Any:
        """Return what a run's facts say of it; a run older than the condition had the default."""
        return getattr(facts, self.name, self.shown(self.default))


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number of this range, or raises ValueError."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
            raise ValueError("%r is not a whole number from %d to %d" % (text, low, high))
        return int(text)

    return read


def size(text: str) -> int:
    """Return a size in bytes: "500 MB", "2GB", "1048576"; 1 kB is 1024 bytes. Raises ValueError."""
    units = {"": 1, "bytes": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
    return int(_amount(text, units, 1 << 60, "size; write 500 MB, or 2 GB"))


def seconds(text: str) -> float:
    """Return a time in seconds: "90", "90 s", "10 min", "2 h". Raises ValueError."""
    units = {"": 1, "s": 1, "min": 60, "h": 3600}
    return _amount(text, units, 10**9, "time; write 90 s, or 10 min")


def _amount(text: str, units: Dict[str, int], limit: int, what: str) -> float:
    match = re.fullmatch(r"(\d{1,19}(?:\.\d{1,18})?)\s*([a-z]*)", text.strip().lower())
    unit = units.get(match.group(2), 0) if match else 0
    value = float(match.group(1)) * unit if match else 0.0
    if not 0 < value < limit:
        raise ValueError("%r is no %s" % (text, what))
    return value


def variable(text: str) -> Tuple[str, str]:
    """Return the name and the value of "NAME=VALUE". Raises ValueError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError("%r is not NAME=VALUE" % text)
    if name in OWN_VARIABLES:
        raise ValueError("%s: keras-repro sets it itself; leave it out" % name)
    return name, value


def without_secrets(variables: Mapping[str, str]) -> Dict[str, str]:
    """Return the script's own variables as its facts show them: without what may be a secret."""
    return {
        name: "(not shown)" if SECRET.search(name) else value for name, value in variables.items()
    }


SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
MAX_SEED = 2**32 - 1  # what numpy.random.seed and PYTHONHASHSEED accept

CONDITIONS = [
    Condition(
        "seed",
        "N",
        whole_number(0, MAX_SEED),
        "The seed, from 0 to %d; 1337 unless configured." % MAX_SEED,
        default=1337,
        types=(int,),
    ),
    Condition(
        "requirements",
        "FILE",
        str,
        "A requirements file of packages that the script needs besides; repeatable.",
        default=(),
        types=(str, list),
        says="extra packages",
        many=tuple,
        parts=0,
        shown=None,  # the lock of what they were resolved to is recorded
    ),
    Condition(
        "data",
        "DIR",
        str,
        "A folder of data, shown to the script read-only in its place; repeatable.",
        default=(),
        types=(list,),
        many=tuple,
        parts=2,  # the place, and the folder that is seen there
        words=list,
        shown=lambda pairs: sorted(place for place, folder in pairs if place != str(folder)),
    ),
    Condition(
        "datasets",
        "DIR",
        str,
        "A folder to show to the script, read-only, as ~/.keras/datasets.",
        shown=lambda folder: folder is not None,
    ),
    Condition(
        "threads",
        "N",
        whole_number(1, 1024),
        "Threads that each library may use, 1 unless configured; can change the numbers.",
        default=1,
        types=(int,),
        is_late=True,
    ),
    Condition(
        "environment",
        "NAME=VALUE",
        variable,
        "An environment variable for the script; repeatable.",
        default={},
        types=(dict,),
        option="env",
        many=dict,
        words=lambda pair: ["%s=%s" % pair],
        shown=None,  # recorded among other variables
    ),
    Condition(
        "time_limit",
        "TIME",
        seconds,
        "Stop a script that runs for longer (90 s, 10 min, 2 h); the run then fails.",
        words=lambda value: ["%.9f" % value],
        changes_numbers=False,
    ),
    Condition(
        "memory_limit",
        "SIZE",
        size,
        "Stop a script that uses more memory (500 MB, 2 GB); the run then fails.",
        changes_numbers=False,
    ),
    Condition(
        "files_limit",
        "SIZE",
        size,
        "How much of the files that the script writes to keep; 100 MB unless configured.",
        default=100 << 20,
        changes_numbers=False,
    ),
]


class Conditions(SimpleNamespace):
    """A value for each of ``CONDITIONS``, the default where none is given; never changed."""

    def __init__(self, **given: Any) -> None:
        for unknown in set(given) - {condition.name for condition in CONDITIONS}:
            raise TypeError("there is no condition %s" % unknown)
        super().__init__(**{c.name: given.get(c.name, c.default) for c in CONDITIONS})

    def having(self, **changes: Any) -> Conditions:
        """Return them with some of the values replaced."""
        return Conditions(**dict(vars(self), **changes))

    def facts(self) -> Dict[str, Any]:
        """Return what ``run.json`` says of them: {fact: value}."""
        return {c.name: c.shown(getattr(self, c.name)) for c in CONDITIONS if c.is_fact}

    def arguments(self) -> List[str]:
        """Return the recorder's options that stand for them."""
        found: List[str] = []
        for condition in CONDITIONS:
            for value in condition.each(getattr(self, condition.name)) if condition.parts else ():
                found += [condition.flag] + [str(word) for word in condition.words(value)]
        return found

    def key(self) -> str:
        """Return a text that is another wherever numbers may be."""
        numeric = [c for c in CONDITIONS if c.changes_numbers]
        return repr([(c.name, sorted(map(str, c.each(getattr(self, c.name))))) for c in numeric])


THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") + (
    ("NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
)

# Where the caller set none: these, which hide every accelerator but the cpu. Recorded either way.
SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "-1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}

# The recorder's own: a script's environment may not set them.
OWN_VARIABLES = ("PYTHONHASHSEED", "PYTHONPATH", "PYTHONUNBUFFERED", "MPLBACKEND") + (
    ("HOME", "KERAS_HOME") + THREAD_VARIABLES
)

RECORDED_VARIABLES = (
    ("PYTHONHASHSEED",)
    + THREAD_VARIABLES
    + tuple(SETTINGS)
    + ("XLA_FLAGS", "THEANO_FLAGS", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
    + ("OPENBLAS_CORETYPE", "KERAS_BACKEND", "LC_ALL", "LANG", "TZ")
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
    return out + ".failed"


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
    aside = first + ".old"  # without it: two renames, and the old is aside for the moment between
    os.rename(second, aside)
    os.rename(first, second)
    os.rename(aside, first)


def recorder_sha256() -> str:
    """Return the SHA-256 over the recorder's own source files, nested ones too, in hexadecimal."""
    root = os.path.dirname(os.path.abspath(__file__))
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(root, "**", "*.py"), recursive=True)):
        digest.update(os.path.relpath(path, root).encode() + b"\0")
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()
