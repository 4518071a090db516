"""Train a workload from many seeds, keep each run, and take from them what ensembles compare."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, RunFailedError, UsageError, gravest
from keras_repro.project.workload import Workload
from keras_repro.recorder.contract import MAX_SEED, Conditions
from keras_repro.runs.ensemble import (
    MOST_SCALARS,
    VERSION,
    EnsembleFacts,
    MarginFacts,
    ScalarFacts,
    margin_of,
    origin_of,
)
from keras_repro.runs.run import Run
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.agreement import agreement
from keras_repro.studies.ensemble.alike import Alike, Seeding, alike, seedings_in
from keras_repro.studies.ensemble.forks import Forks, forks_of, let_go
from keras_repro.studies.ensemble.one_class import classes, of_one_class
from keras_repro.studies.ensemble.scalars import chosen, primary_of, scalars_of
from keras_repro.studies.ensemble.seed import Seed, as_trial, beside_the_last
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.train.side_by_side import side_by_side
from keras_repro.studies.train.train import check_writable
from keras_repro.studies.vary.variations import Variation
from keras_repro.studies.vary.vary import Vary

FIRST = 3  # seeds after which it is looked whether there is any difference between them


@dataclass
class Asked:
    """Many seeds of a workload on a backend, and how far they are; read while they run.

    ``primary`` are shell patterns of the scalars that count, ``margins`` {pattern: by how much
    two means may differ}, in the scalar's own units. ``as_trials``: the environment is not the
    workload's own, so the runs are kept among what was tried, and not beside the last one.
    ``one_class``: only the seeds of one numeric class are taken.
    """

    place: Place
    backend: Backend
    count: int = 30
    jobs: int = 1
    primary: tuple[str, ...] = ()
    margins: Mapping[str, float] = field(default_factory=dict)
    as_trials: bool = False
    one_class: bool = False
    done: list[Seed] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.vary = Vary(self.place, self.backend, jobs=self.jobs, takes_diverged=True)

    @property
    def seeds(self) -> list[int]:
        """The seeds: the workload's own, and those that follow it."""
        return seeds_of(self.place.of.conditions, self.count)

    @property
    def running(self) -> dict[str, Progress]:
        """What runs now."""
        return self.vary.running

    def variation(self, seed: int) -> Variation:
        """Return the change that is this seed."""
        return variation_of(self.place.of.conditions, seed)


def seeds_of(conditions: Conditions, count: int) -> list[int]:
    """Return so many seeds: the conditions' own, and those that follow it."""
    return [(conditions.seed + number) % (MAX_SEED + 1) for number in range(count)]


def variation_of(conditions: Conditions, seed: int) -> Variation:
    """Return the change that is this seed. Python's hashes are those of the first for all."""
    of_hashes = conditions.seed if conditions.hash_seed is None else conditions.hash_seed
    return Variation(f"seed={seed}", "seed", {"seed": seed, "hash_seed": of_hashes})


@dataclass(frozen=True)
class Result:
    """What became of the seeds. ``facts`` is None where they are all one and the same run.

    Then no more than the first few were run. ``others`` are seeds of other numeric classes, which
    are in no facts where one class was asked for.
    """

    asked: Asked
    seeds: list[Seed]
    alike: Alike
    facts: EnsembleFacts | None
    seconds: float = 0.0
    forks: Forks | None = None
    others: list[Seed] = field(default_factory=list)

    @property
    def failed(self) -> list[Seed]:
        """The seeds whose script failed."""
        return [one for one in self.seeds if not one.good]

    @property
    def classes(self) -> dict[str, int]:
        """How many seeds were run on machines of which numeric class, where it is known."""
        return classes([*self.seeds, *self.others])

    @property
    def exit_code(self) -> ExitCode:
        """OK, or how the gravest failure ended."""
        return gravest([one.exit_code for one in self.failed])


class Runner:
    """Makes the runs of the seeds: some first, then the rest, in forks where that is as good."""

    def __init__(self, asked: Asked, engine: Engine) -> None:
        self._asked = asked
        self._engine = engine
        self._left: Sequence[int] = asked.seeds
        conditions = asked.variation(asked.seeds[0]).under(asked.place.of.conditions)
        self.forks = forks_of(engine, conditions, asked.count)

    def first(self) -> list[int]:
        """Make the first few; return which. If there are to be forks, it is seen that they may."""
        seeds = self._left
        if self.forks is None:
            self._left = seeds[FIRST:]
            self._run(seeds[:FIRST], self._engine)
        else:
            self._left = self.forks.verify(seeds, self._run)
        return sorted({*seeds} - {*self._left})

    def rest(self) -> None:
        """Make all that are left."""
        self._run(self._left, self._engine if self.forks is None else self.forks.maker)

    def _run(self, seeds: Sequence[int], engine: Engine) -> None:
        asked, lock = self._asked, threading.Lock()
        how = as_trial if asked.as_trials else beside_the_last

        def one(seed: int) -> None:
            done = how(asked.vary, asked.variation(seed), seed, engine)
            with lock:
                asked.done.append(done)

        side_by_side(seeds, one, asked.jobs, engine)


def ensemble(asked: Asked, engine: Engine) -> Result:
    """Make the runs that are missing; return what there is of all seeds.

    A seed whose script fails, or that a limit or the machine ends, stops no other, and is one
    without numbers. Where the first few are the same run bit for bit, no more are made.
    KeyboardInterrupt ends what runs at once and is raised again; what was done by then is kept, and
    taken the next time.

    Raises:
        UsageError: no scalar has a name as is asked for, or there is none.
        RunFailedError: every seed fails.
        UnavailableError, StoppedError, CannotWriteError: as a training does.
    """
    check_writable(asked.place.artifacts)
    runner = Runner(asked, engine)
    try:
        return _ensemble(asked, runner)
    finally:
        let_go(engine)


def _ensemble(asked: Asked, runner: Runner) -> Result:
    first = runner.first()
    seedings = _seedings(asked)
    runs = [one.run for one in asked.done if one.good and one.run is not None]
    same = alike(runs, seedings) if len(runs) > 1 else Alike(everything=False, seedings=seedings)
    if same.everything and len(runs) == len(first) > 1:
        return _result(asked, _in_order(asked), same, None, runner)
    if runs:  # before many are made, in vain
        names = list(_numbers(dict(enumerate(runs)))[0])
        counting(asked.place.of, names, asked.primary, asked.margins)
    runner.rest()
    seeds, others = _in_order(asked), list[Seed]()
    if asked.one_class:
        seeds, others = of_one_class(seeds)
    good = {one.seed: one.run for one in seeds if one.good and one.run is not None}
    if not good:
        raise RunFailedError(f"every seed fails, the first with: {seeds[0].problem}")
    if len(good) > 1:
        same = alike(list(good.values()), seedings)
    facts = _facts(asked, seeds, good, same)
    return replace(_result(asked, seeds, same, facts, runner), others=others)


def _result(
    asked: Asked, seeds: list[Seed], same: Alike, facts: EnsembleFacts | None, runner: Runner
) -> Result:
    return Result(asked, seeds, same, facts, time.monotonic() - asked.started, runner.forks)


def _in_order(asked: Asked) -> list[Seed]:
    order = {seed: at for at, seed in enumerate(asked.seeds)}
    return sorted(asked.done, key=lambda one: order[one.seed])


def _seedings(asked: Asked) -> list[Seeding]:
    """Return where the script, and the modules that it imports from beside it, seed something."""
    of = asked.place.of
    modules = {Path(m) for one in asked.done if one.run for m in one.run.facts.modules}
    below = [path for path in sorted(modules) if not path.is_absolute() and ".." not in path.parts]
    return seedings_in(of.folder, [of.script, *below])


def _facts(asked: Asked, seeds: list[Seed], good: dict[int, Run], same: Alike) -> EnsembleFacts:
    each = _numbers(good)
    names = list(dict.fromkeys(name for one in each.values() for name in one))
    primary, margins = counting(asked.place.of, names, asked.primary, asked.margins)
    scalars = {}
    for name in chosen(names, primary):
        values = np.array([each.get(one.seed, {}).get(name, np.nan) for one in seeds])
        own = margin_of(values, 1.0)
        margin = MarginFacts(value=own.value, deviations=own.deviations)
        if name in margins:
            margin = MarginFacts(value=margins[name], deviations=None)
        scalars[name] = ScalarFacts(primary=name in primary, margin=margin, values=values.tolist())
    return EnsembleFacts(
        schema_version=VERSION,
        workload=asked.place.workload,
        backend=asked.backend.name,
        seeds=[one.seed for one in seeds],
        failed={str(one.seed): one.problem[:2_000] for one in seeds if not one.good},
        alike=[f"data: {argument}"[:2_000] for argument in (same.data or [])[:MOST_SCALARS]],
        scalars=scalars,
        origin=origin_of(next(iter(good.values())).facts),
    )


def _numbers(runs: Mapping[int, Run]) -> dict[int, dict[str, float]]:
    """Return the numbers of each seed, by name; how far it agrees with others after predictions."""
    each = {seed: scalars_of(run.all_arrays) for seed, run in runs.items()}
    of_others = agreement(runs)
    for seed, numbers in each.items():
        found: dict[str, float] = {}
        for name, value in numbers.items():
            found[name] = value
            found |= {n: of[seed] for n, of in of_others.items() if n.partition("@")[0] == name}
        each[seed] = found
    return each


def counting(
    workload: Workload, names: list[str], patterns: tuple[str, ...], given: Mapping[str, float]
) -> tuple[list[str], dict[str, float]]:
    """Return the primary scalars among ``names``, and the margins that were given, by name.

    ``patterns`` are of the primary ones; what evaluations said where there are none. ``given`` is
    {pattern: margin}.

    Raises:
        UsageError: no scalar has a name as is asked for, or there is none.
    """
    if not names:
        raise UsageError(
            f"{workload.name} has no costs, metrics, weights or predictions to compare"
        )
    primary = [
        name for pattern in patterns for name in _matching(names, pattern, "--primary")
    ] or primary_of(names)
    if not primary:
        raise UsageError(
            "the script has no test cost, no metric and no training cost; name what counts with "
            f"--primary: there are {', '.join(names)}"
        )
    margins = {
        name: margin
        for pattern, margin in given.items()
        for name in _matching(names, pattern, "--margin")
    }
    return list(dict.fromkeys(primary)), margins


def _matching(names: list[str], pattern: str, option: str) -> list[str]:
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise UsageError(f"{option}: no scalar matches {pattern!r}; there are {', '.join(names)}")
    return found


def with_margins(facts: EnsembleFacts, margins: Mapping[str, float]) -> EnsembleFacts:
    """Return an ensemble with other margins: {pattern: number}. Raises UsageError."""
    names = list(facts.scalars)
    scalars = dict(facts.scalars)
    for pattern, margin in margins.items():
        for name in _matching(names, pattern, "--margin"):
            given = MarginFacts(value=margin, deviations=None)
            scalars[name] = scalars[name].model_copy(update={"margin": given})
    return facts.model_copy(update={"scalars": scalars})
