"""A seeded plan: which trials, of all that there may be, and by which name one is repeated."""

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.faults import containers
from tests.faults.faults import MUST_BE_HIT, READS, Fault, Operation, kinds_at
from tests.faults.pairs import PAIRS

INJECTIONS, PAIRS_EACH, HOSTILE = 2000, 100, 500  # of a whole campaign
CUTS = {"training": 12, "build": 12, "install": 30, "install-other": 30}
WITHOUT_DOCKER = ("install", "install-other")
REAL = 0.1  # the share of trials with real starts
# A trial of these draws, or makes many runs, and takes five times as long as the others'.
SLOW = {
    **{"report": 0.3, "equivalent": 0.3, "calibrate": 0.5, "upgrade-seeds": 0.5},
    **{"bisect-seeds": 0.3, "ensemble": 0.5, "ensemble-forks": 0.5, "ensemble-part": 0.5},
}


class Trial(NamedTuple):
    """A trial by its name: its area, what it is about, and what makes it repeat."""

    area: str
    about: str
    how: str
    real: bool

    def __str__(self) -> str:
        return "/".join((self.area, self.about, self.how, "real" if self.real else "served"))

    @classmethod
    def parse(cls, text: str) -> "Trial":
        area, about, how, start = text.split("/")
        return cls(area, about, how, start == "real")

    @property
    def fault(self) -> Fault:
        kind, _, number = self.how.partition("@")
        return Fault(kind, int(number))


def injections(
    operations: dict[str, list[Operation]], rng: random.Random, whole: bool
) -> Iterator[Trial]:
    """Yield injections without end; of a ``whole`` campaign first those that each must have."""
    left = {}
    for name, found in operations.items():
        every = [(one, kind) for one in found for kind in kinds_at(one)]
        # A fault that meets a read teaches less.
        left[name] = sorted(every, key=lambda one: rng.random() ** (3 - 2 * (one[0].name in READS)))
    if whole:
        for name, found in operations.items():
            for one in found:
                if one.name in MUST_BE_HIT:
                    chosen = (one, rng.choice(kinds_at(one)))
                    left[name].remove(chosen)
                    yield _injection(name, *chosen, rng)
    names = list(operations)
    weights = [SLOW.get(name, 1.0) for name in names]
    while any(left.values()):
        [name] = rng.choices(names, weights)
        if left[name]:
            yield _injection(name, *left[name].pop(0), rng)


def all_of(operations: list[tuple[str, Operation]]) -> list[Trial]:
    """Return every fault that some commands' operations may meet."""
    return [
        Trial("inject", name, f"{kind}@{one.number}", real=False)
        for name, one in operations
        for kind in kinds_at(one)
    ]


def _injection(name: str, operation: Operation, kind: str, rng: random.Random) -> Trial:
    return Trial("inject", name, f"{kind}@{operation.number}", rng.random() < REAL)


def pairs(rng: random.Random, each: int, seed: str) -> Iterator[Trial]:
    """Yield the pairs, so many of each command's, and at least one of each form."""
    for (first, second), part in PAIRS.items():
        for number in range(math.ceil(each * part)):
            yield Trial("pair", f"{first}+{second}", f"{seed}-{number}", rng.random() < REAL)


def hostiles(rng: random.Random, count: int, seed: str) -> Iterator[Trial]:
    """Yield hostile folders."""
    for number in range(count):
        yield Trial("hostile", "folders", f"{seed}-{number}", rng.random() < REAL / 5)


def in_containers(rng: random.Random, count: int | None) -> list[Trial]:
    """Return hostile scripts in containers; without a ``count`` each that there is."""
    return [
        Trial("containers", backend, how, rng.random() < REAL)
        for backend, how in containers.hows(rng)[:count]
    ]


def cuts(rng: random.Random, count: int | None, seed: str) -> list[Trial]:
    """Return moments at which Docker is cut off, or an installation killed."""
    every = [
        Trial("cut", about, f"{seed}-{number}", rng.random() < REAL)
        for about, each in CUTS.items()
        for number in range(each)
    ]
    return rng.sample(every, len(every) if count is None else min(count, len(every)))
