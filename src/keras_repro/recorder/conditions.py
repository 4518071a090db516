"""The conditions of a run: what it depends on besides its workload and its backend, in one table.

A part of the contract between the recorder and the harness. The standard library alone, on
Python 3.7.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from keras_repro.recorder.hermetic.changes import change
from keras_repro.recorder.plants import PLANTS, plant
from keras_repro.recorder.variables import variable


class Condition(NamedTuple):
    """One thing besides workload and backend that a run depends on and that a user may choose.

    The command line's option, the key of a workload's configuration, the recorder's argument, the
    recorded fact, staleness, the key of kept trials and the cause that is named come from it.
    """

    name: str  # in Python, in the configuration and, with dashes, of the option
    metavar: str  # of its value; empty where it is a switch, which is on or off
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
    def is_switch(self) -> bool:
        """Whether it has no value: the option alone switches it on."""
        return not self.metavar

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
        if self.is_switch:
            return [value] if value else []
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


def system_package(text: str) -> str:
    """Return "name" or "name=version" of a Debian package as it is. Raises ValueError.

    Nothing else gets through that apt-get reads: no option, pattern, file, release, or "name-",
    which removes. https://www.debian.org/doc/debian-policy/ch-controlfields.html#source
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]{0,99}(?<!-)(=[0-9][A-Za-z0-9.+:~-]{0,99})?", text):
        raise ValueError(
            "%r is no Debian package; write a name, as in graphviz, or graphviz=2.42.2-7" % text
        )
    return text


def processor(text: str) -> str:
    """Return the name of a processor as QEMU's -cpu takes it, and no option. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("%r is no processor; write QEMU's name for one, as in Haswell" % text)
    return text


def most_processes(cores: int) -> int:
    """Return how many processes and threads a script may have where nobody gives a limit."""
    return 1024 + 32 * cores


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
        "system_packages",
        "NAME",
        system_package,
        "A Debian package that the script needs besides, NAME or NAME=VERSION; repeatable.",
        default=(),
        types=(list,),
        option="system-package",
        many=tuple,
        shown=lambda names: sorted(set(names)),
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
        "ulps",
        "N",
        whole_number(0, MAX_SEED),
        "Move each initial weight, and what Keras trains with, by one unit in the last place, N "
        "saying which up and which down; 0, as configured by default, for none.",
        default=0,
        types=(int,),
        says="weights and data moved by an ulp",
    ),
    Condition(
        "planted",
        "NAME=X",
        plant,
        "Multiply one thing by 1 + X, to see whether check catches it: "
        + ", ".join(PLANTS)
        + "; repeatable.",
        default={},
        types=(dict,),
        option="plant",
        many=dict,
        words=lambda pair: ["%s=%s" % pair],
        says="a planted change",
    ),
    Condition(
        "hash_seed",
        "N",
        whole_number(0, MAX_SEED),
        "The seed of Python's hashes, PYTHONHASHSEED; the seed unless configured.",
        types=(int,),
    ),
    Condition(
        "vary_own_seeds",
        "",
        bool,
        "Let what the script gives to random.seed, numpy.random.seed and the like depend on the "
        "seed too.",
        default=False,
        types=(bool,),
        words=lambda value: [],
        says="the script's own seeds",
    ),
    Condition(
        "portable",
        "",
        bool,
        "Have every library choose its kernels alike on every processor, where it can be told so.",
        default=False,
        types=(bool,),
        words=lambda value: [],
        says="portable settings",
    ),
    Condition(
        "processor",
        "MODEL",
        processor,
        "A processor to emulate for the script, by QEMU's name for it, Haswell say; slow.",
        types=(str,),
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
        "hermetic",
        "",
        bool,
        "Make clock, entropy, host name, process id and order of folders a function of the seed.",
        default=False,
        types=(bool,),
        words=lambda value: [],
    ),
    Condition(
        "surroundings",
        "NAME=VALUE",
        change,
        "Change what the script finds around it: clock=+400d, folder-order=reversed; repeatable.",
        default={},
        types=(dict,),
        many=dict,
        words=lambda pair: ["%s=%s" % pair],
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
        "Stop a script that uses more memory (500 MB, 2 GB); 9/10 of the machine's unless "
        "configured.",
        changes_numbers=False,
    ),
    Condition(
        "processes_limit",
        "N",
        whole_number(1, 1 << 22),
        "Stop a script that runs more processes and threads; 1024 and 32 a core unless configured.",
        types=(int,),
        changes_numbers=False,
    ),
    Condition(
        "log_limit",
        "SIZE",
        size,
        "How much of what the script prints to keep, of its beginning and its end; 100 MB unless "
        "configured.",
        default=100 << 20,
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
    Condition(
        "array_limit",
        "SIZE",
        size,
        "Keep a larger array as its digest, figures and a sample alone; 256 MB unless configured.",
        default=256 << 20,
        changes_numbers=False,
    ),
    Condition(
        "arrays_limit",
        "SIZE",
        size,
        "How much of the arrays to keep whole in all, the others as array-limit does; 2 GB unless "
        "configured.",
        default=2 << 30,
        changes_numbers=False,
    ),
    Condition(
        "no_data_statistics",
        "",
        bool,
        "Keep no mean, extremes and norm of the data in the trail, but their digests alone.",
        default=False,
        types=(bool,),
        changes_numbers=False,
        words=lambda value: [],
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
