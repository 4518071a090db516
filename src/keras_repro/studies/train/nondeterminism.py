"""Where two runs of the same seed part, and what in the script's text may be why."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.recorder.contract import ArrayName, Kind

MOST_BYTES = 4 << 20

# Calls that draw from the system's entropy where they are given no seed.
UNSEEDED = {
    "numpy.random.default_rng",
    "numpy.random.RandomState",
    "numpy.random.Generator",
    "numpy.random.SeedSequence",
    "numpy.random.PCG64",
    "numpy.random.MT19937",
    "numpy.random.Philox",
    "numpy.random.seed",
    "random.Random",
    "random.seed",
}
ENTROPY = {
    "os.urandom",
    "random.SystemRandom",
    "secrets.choice",
    "secrets.randbelow",
    "secrets.randbits",
    "secrets.token_bytes",
    "secrets.token_hex",
    "tensorflow.random.Generator.from_non_deterministic_state",
    "torch.seed",
    "uuid.uuid1",
    "uuid.uuid4",
}
TIME = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.time",
    "time.time_ns",
}
FILE_ORDER = {
    "glob.glob",
    "glob.iglob",
    "os.listdir",
    "os.scandir",
    "os.walk",
}
PATH_METHODS = {"iterdir", "glob", "rglob"}
PROCESS = {"os.getpid", "os.getppid", "id"}
THREADS = {
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
    "multiprocessing.Pool",
    "multiprocessing.Process",
    "multiprocessing.pool.ThreadPool",
    "threading.Thread",
}
# What is said of a call; of the first five --hermetic makes a function of the seed.
NO_SEED, OF_THE_SYSTEM, CLOCK = "a generator without a seed", "the system's entropy", "the time"
NUMBER, NO_ORDER = "another number in each process", "files in no certain order; sort them"
ANY_ORDER = "threads or processes that end in any order"
HELD = (NO_SEED, OF_THE_SYSTEM, CLOCK, NUMBER, NO_ORDER)
WORKERS = ("workers", "num_workers", "num_parallel_calls")


@dataclass(frozen=True)
class Suspect:
    """A place in the script that may give other numbers each time, and why."""

    place: str  # train.py:12
    call: str
    kind: str

    @property
    def is_held(self) -> bool:
        """Whether it is the same in every hermetic run; no address is."""
        return self.kind in HELD and self.call != "id()"

    def __str__(self) -> str:
        return f"{self.place}: {self.call}: {self.kind}"


def first_to_part(comparisons: list[Comparison]) -> Comparison | None:
    """Return the array that differs first in the order of time; None where none does.

    Initial weights stand before the first cost, and the costs of a step before all that follows.
    """
    differing = [c for c in comparisons if c.verdict is not Verdict.IDENTICAL]
    return min(differing, key=_when, default=None)


def suspects(folder: Path, files: list[Path], threads: int) -> list[Suspect]:
    """Return what in these files, below ``folder``, may differ from one run to the next.

    Read from the text alone: names are followed through imports, not through variables.
    """
    found = []
    for path in files:
        try:
            if (folder / path).stat().st_size > MOST_BYTES:
                continue
            tree = ast.parse((folder / path).read_bytes())
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue
        found += [
            Suspect(f"{path}:{line}", call, kind) for line, call, kind in sorted(_calls(tree))
        ]
    if threads > 1:
        found.append(Suspect("--threads", str(threads), "threads may add numbers in any order"))
    return found


def _when(comparison: Comparison) -> tuple[int, int, str]:
    if ArrayName.parse(comparison.name).kind is Kind.INITIAL_WEIGHT:
        return 0, 0, comparison.name
    if comparison.first_step is not None and comparison.first:
        return 1, comparison.first[0], comparison.name
    return 2, 0, comparison.name


def _calls(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    names = dict(imported(tree))
    in_order = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func, names) in ("sorted", "len", "set")
        for argument in node.args
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func, names)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        shown = called or method
        if called in UNSEEDED and has_no_seed(node):
            yield node.lineno, f"{shown}()", NO_SEED
        elif called in ENTROPY:
            yield node.lineno, f"{shown}()", OF_THE_SYSTEM
        elif called in TIME:
            yield node.lineno, f"{shown}()", CLOCK
        elif called in PROCESS:
            yield node.lineno, f"{shown}()", NUMBER
        elif id(node) not in in_order and (
            called in FILE_ORDER or (method in PATH_METHODS and called not in FILE_ORDER)
        ):
            yield node.lineno, f"{shown}()", NO_ORDER
        elif called in THREADS:
            yield node.lineno, f"{shown}()", ANY_ORDER
        for keyword in node.keywords:
            if keyword.arg in WORKERS and not _is_one_or_none(keyword.value):
                yield node.lineno, f"{shown}({keyword.arg}=...)", ANY_ORDER


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name in the file, what it stands for)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name
                else:
                    root = alias.name.partition(".")[0]
                    yield root, root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """Return the full name of what is called; nothing where it is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def has_no_seed(call: ast.Call) -> bool:
    """Whether a call is given no seed, or None."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and value.value is None for value in given)


def _is_one_or_none(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value in (None, 0, 1, False)
