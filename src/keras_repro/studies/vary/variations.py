"""What can be varied of a run, one thing at a time: one table, and a name for each variation."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_repro.backends.kernels import Library, Variables, joined, table
from keras_repro.recorder.contract import Conditions

HELD = "the portable settings hold it"
ROUNDING = "rounding"  # the factor of the variations that move weights and data by an ulp
THREADS = (1, 2, 4)
# Emulated: one without AVX, with it, with AVX2, one of AMD's, and all that QEMU has.
EMULATED = "emulated processor"
PROCESSORS = ("Nehalem", "SandyBridge", "Haswell", "EPYC", "max")
SLOW = "it takes ten times as long; ask for it with --emulated"
SURROUNDINGS = (
    *(("clock", "+400d"), ("entropy", "2"), ("environment-size", "20000"), ("folder", "other")),
    *(("folder-order", "reversed"), ("host", "other"), ("umask", "077"), ("user", "other")),
)
LEVEL_NAMES = {"sse4.2": "SSE4.2", "avx": "AVX", "avx2": "AVX2", "avx512": "AVX-512"}


@dataclass(frozen=True)
class Subject:
    """Whose variations are asked for.

    ``flags`` are the processor's, None where they are not known: then nothing is left out for it.
    ``rounding`` is how often weights and data are to be moved, and ``emulated`` whether processors
    are to be emulated. ``rounds_alone`` leaves only what rounds otherwise.
    """

    backend: str
    conditions: Conditions
    flags: tuple[str, ...] | None
    rounding: int
    emulated: bool = False
    rounds_alone: bool = False


@dataclass(frozen=True)
class Variation:
    """A change of the conditions: ``changes`` has the values of those that are others.

    ``name`` is its own, ``factor`` what it is counted under. ``skipped`` says why it cannot be made
    here, in words; then it is not.
    """

    name: str
    factor: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    skipped: str = ""

    def under(self, conditions: Conditions) -> Conditions:
        """Return the conditions of its run."""
        return conditions.having(**self.changes)


def variations(subject: Subject) -> list[Variation]:
    """Return all of a workload's variations on a backend, those that are skipped among them.

    One that changes nothing, two threads where the workload has two, is the base itself and left
    out; of two that are alike the first is taken.
    """
    found, known = [], {subject.conditions.key()}
    for vary in ROUNDS if subject.rounds_alone else FACTORS:
        for variation in vary(subject):
            key = variation.under(subject.conditions).key()
            if variation.skipped or key not in known:
                known.add(key)
                found.append(variation)
    return found


def _instruction_sets(subject: Subject) -> Iterator[Variation]:
    libraries = list(table().of(subject.backend).values())
    for level in table().levels:
        yield _limited(subject, f"isa={level}", "instruction sets", level, libraries)


def _one_library(subject: Subject) -> Iterator[Variation]:
    for name, library in table().libraries.items():
        factor = f"instruction sets of {library.title}"
        if subject.backend in library.without:
            yield Variation(f"isa-{name}", factor, skipped=library.without[subject.backend])
        elif subject.backend in library.backends:
            for level, value in library.limits.items():
                if value:
                    yield _limited(subject, f"isa-{name}={level}", factor, level, [library])


def _limited(
    subject: Subject, name: str, factor: str, level: str, libraries: list[Library]
) -> Variation:
    if subject.conditions.portable:  # a user's own variable goes before its settings
        libraries = [one for one in libraries if one.variable not in one.portable]
        if not libraries:
            return Variation(name, factor, skipped=HELD)
    changes = _set(subject, *(library.limited_to(level) for library in libraries))
    return Variation(name, factor, changes, without_level(subject.flags, level))


def without_level(flags: tuple[str, ...] | None, level: str) -> str:
    """Return that a processor with these flags has not a level; nothing where it has."""
    if flags is None or all(flag in flags for flag in table().levels[level]):
        return ""
    return f"the processor has no {LEVEL_NAMES[level]}"


def _onednn(subject: Subject) -> Iterator[Variation]:
    library = table().libraries["onednn"]
    if subject.backend in library.without_switch:
        yield Variation("onednn", "oneDNN", skipped=library.without_switch[subject.backend])
    elif subject.backend in library.switch and subject.conditions.portable:
        yield Variation("onednn", "oneDNN", skipped=HELD)
    elif subject.backend in library.switch:
        switch = library.switch[subject.backend]
        yield Variation("onednn=off", "oneDNN", _set(subject, switch.off))
        given = subject.conditions.environment
        if any(given.get(name, value) != value for name, value in switch.on.items()):
            yield Variation("onednn=on", "oneDNN", _set(subject, switch.on))


def _threads(subject: Subject) -> Iterator[Variation]:  # noqa: ARG001 - as the others
    for number in THREADS:
        yield Variation(f"threads={number}", "threads", {"threads": number})


def _hash_seed(subject: Subject) -> Iterator[Variation]:
    for number in (1, 2):
        if number != subject.conditions.seed:
            yield Variation(f"hash-seed={number}", "hash seed", {"hash_seed": number})


def _locale(subject: Subject) -> Iterator[Variation]:
    for name in ("C", "C.UTF-8"):
        yield Variation(f"locale={name}", "locale", _set(subject, {"LC_ALL": name}))


def _time_zone(subject: Subject) -> Iterator[Variation]:
    """Yield both ends of the world's: as POSIX writes them, without a file that says more."""
    for name, value in (("+14", "EAST-14"), ("-12", "WEST12")):
        yield Variation(f"time-zone={name}", "time zone", _set(subject, {"TZ": value}))


def _surroundings(subject: Subject) -> Iterator[Variation]:
    for name, value in SURROUNDINGS:
        changed = {**subject.conditions.surroundings, name: value}
        yield Variation(f"{name}={value}", name.replace("-", " "), {"surroundings": changed})


def _processors(subject: Subject) -> Iterator[Variation]:
    for model in PROCESSORS:
        skipped = "" if subject.emulated else SLOW
        yield Variation(f"processor={model}", EMULATED, {"processor": model}, skipped)


def _rounding(subject: Subject) -> Iterator[Variation]:
    for number in range(1, subject.rounding + 1):
        yield Variation(f"ulps={number}", ROUNDING, {"ulps": number})


def _set(subject: Subject, *settings: Variables) -> dict[str, Any]:
    return {"environment": joined(subject.conditions.environment, settings)}


# Each yields variations of one kind. A new thing to vary is one more line.
Factor = Callable[[Subject], Iterator[Variation]]
FACTORS: list[Factor] = [
    _instruction_sets,
    _one_library,
    _onednn,
    _threads,
    _hash_seed,
    _locale,
    _time_zone,
    _surroundings,
    _rounding,
    _processors,
]
# Of these, what rounds otherwise, and leaves alone what a script may read.
ROUNDS: list[Factor] = [_instruction_sets, _one_library, _onednn, _threads, _rounding, _processors]
