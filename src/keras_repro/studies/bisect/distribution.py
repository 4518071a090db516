"""Judge points by many seeds: where the distribution of what counts is another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import RunFailedError, UsageError
from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Decision, Found, Scalar, decision_of
from keras_repro.numbers.chance.looks import (
    Look,
    Truth,
    look_at,
    looks,
    share_found,
    truth_of,
)
from keras_repro.numbers.chance.within import ALPHA, Margin, deviation_of
from keras_repro.numbers.comparison import Comparison
from keras_repro.numbers.differences import Array
from keras_repro.project.workload import Workload
from keras_repro.runs.ensemble import margin_of
from keras_repro.runs.summaries import Kept
from keras_repro.studies.bisect.levels import level_between, level_of_part
from keras_repro.studies.bisect.seeds import Seeds
from keras_repro.studies.ensemble.alike import alike
from keras_repro.studies.ensemble.ensemble import counting
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Trial

DISTRIBUTION = "distribution"  # what --tolerance says, and the kind of what changes
FEWEST = 10  # seeds that are worth asking for: of fewer hardly anything is ever found
FEWEST_GOOD = 2  # seeds with a number that have a mean and a deviation


@dataclass(frozen=True)
class Sampled(Trial):
    """What became of many seeds at a point; ``run`` is the first that there is.

    ``values`` has what counts: {scalar: [seeds] float64}, NaN of a seed without a number; ``lost``
    is how many left no run. ``found`` is what the last look told of each scalar, nothing of the
    good point itself. ``level`` is in how many cases the point is found to differ though it does
    not, of which the last look has its ``share``, and ``most`` how many seeds it might have had.
    """

    values: Mapping[str, Array] = field(default_factory=dict)
    lost: int = 0
    found: tuple[Found, ...] = ()
    level: float = ALPHA
    share: float = 1.0
    most: int = 0

    @property
    def seeds(self) -> int:
        """How many seeds were tried."""
        return max(map(len, self.values.values()), default=0)

    @property
    def undecided(self) -> bool:
        """Whether so many seeds show neither a difference nor that there is none."""
        return self.decision is Decision.INCONCLUSIVE

    @property
    def decision(self) -> Decision | None:
        """What is said of the point; None of the good one."""
        return decision_of(self.found) if self.found else None

    @cached_property
    def share_found(self) -> float | None:
        """How often a point that differs as this one does is found to; None where it has no mean.

        If the truth is what was found, and values are normal.
        """
        truths = [truth for one in self.found if (truth := truth_of(one)) is not None]
        return share_found(truths, self.most, self.level) if truths else None


@dataclass
class Distribution:
    """What counts as different: another distribution of what counts, over many seeds.

    ``count`` is how many points there are, ``most`` the most seeds at each, ``jobs`` how many of
    them run at the same time. ``primary`` are patterns of the scalars that count, the workload's
    where there are none. ``good`` is what became of the first point, and ``margins`` by how much
    means may differ from its.
    """

    count: int
    most: int = 30
    jobs: int = 1
    primary: tuple[str, ...] = ()
    good: Sampled | None = None
    margins: dict[str, Margin] = field(default_factory=dict)
    _between: int = 0
    _parts: int = 1
    _at_margin: dict[float, float | None] = field(default_factory=dict)

    def tried(
        self,
        at: int | None,
        workload: Workload,
        backend: Backend,
        progress: Progress,
        engine: Engine,
    ) -> Trial:
        """Return what becomes of as many seeds as it takes; of all at the good point.

        A seed whose script fails is one without a number. Where it fails with all of the first, or
        none of them has what counts, the point tells nothing.

        Raises:
            UsageError: no scalar has a name as is asked for, or all first seeds are the same run.
            RunFailedError: too few good seeds have a number of what counts.
            UnavailableError, StoppedError: as a trial does.
        """
        if self.good is None and at != 0:
            return Trial(progress.backend, None, "there is nothing good to compare it with")
        with Seeds(workload, backend, progress, engine, self.most, self.jobs) as seeds:
            return self._of(seeds, at)

    def _of(self, seeds: Seeds, at: int | None) -> Trial:
        plan = looks(self.most)
        seeds.reach(plan[0].seeds)
        if not seeds.runs:
            return seeds.first
        if at == 0:
            return self._take_good(seeds)
        lacking = [name for name in self.margins if name not in seeds.names]
        if lacking:
            problem = f"no seed of it has {', '.join(lacking)}"
            return replace(seeds.first, run=None, problem=problem)
        level = self._level(at)
        for look in plan:
            seeds.reach(look.seeds)
            found = self._look(seeds, look, level)
            if decision_of(found) is not Decision.INCONCLUSIVE:
                break
        return replace(self._sampled(seeds), found=tuple(found), level=level, share=look.share)

    def compare(
        self,
        obtained: Mapping[str, Kept],  # noqa: ARG002 - the protocol's
        expected: Mapping[str, Kept],  # noqa: ARG002
    ) -> list[Comparison]:
        """Return nothing: arrays of single runs tell nothing of a distribution."""
        return []

    def outcome(
        self,
        comparisons: list[Comparison],  # noqa: ARG002 - the protocol's
        trial: Trial | None = None,
    ) -> dict[str, bool]:
        """Return {DISTRIBUTION: whether it is shown to differ from the good point's}."""
        if not isinstance(trial, Sampled):
            return {}
        return {DISTRIBUTION: trial.decision is Decision.DIFFERENT}

    def explains(self, trials: int) -> None:
        """Share among so many trials in how many cases a package may be wrongly blamed."""
        self._parts = trials

    def share_found_at_margin(self, level: float) -> float | None:
        """Return how often a point is found where the mean of one scalar is off by its margin.

        Of the scalar of which it is found the least. None where the good seeds do not vary.
        """
        if level not in self._at_margin and self.good is not None:
            truths = [_alike(v, self.margins[name]) for name, v in self.good.values.items()]
            known = [one for one in truths if one.deviations[0] > 0]
            self._at_margin[level] = None
            if known:
                least = min(known, key=lambda one: one.margin.value / one.deviations[0])
                mean = least.means[0]
                off = replace(least, means=(mean, mean + least.margin.value))
                moved = [off if one is least else one for one in known]
                self._at_margin[level] = share_found(moved, self.most, level)
        return self._at_margin.get(level)

    def _take_good(self, seeds: Seeds) -> Sampled:
        """Take all seeds of the good point, and what counts from the first ones."""
        if len(seeds.runs) == len(seeds.trials) and alike(seeds.runs, []).everything:
            raise UsageError(
                f"the first {len(seeds.runs)} seeds are the same run, bit for bit: the script "
                "fixes every generator, so there is no distribution to compare; let the seed "
                "matter with --vary-own-seeds"
            )
        workload = seeds.workload
        patterns = self.primary or workload.primary
        counting(workload, seeds.names, patterns, workload.margins)  # before many are made in vain
        seeds.reach(self.most)
        names, given = counting(workload, seeds.names, patterns, workload.margins)
        for name, values in seeds.values(names).items():
            if ordinary(values).sum() < FEWEST_GOOD:
                raise RunFailedError(
                    f"{ordinary(values).sum()} of {len(values)} good seeds end with a number of "
                    f"{name}; mend the script, or name another scalar with --primary"
                )
            own = margin_of(values, 1.0)
            self.margins[name] = Margin(given[name]) if name in given else own
        self.good = self._sampled(seeds)
        return self.good

    def _look(self, seeds: Seeds, look: Look, level: float) -> list[Found]:
        assert self.good is not None
        values = seeds.values(self.margins)
        scalars = [
            Scalar(
                name,
                self.good.values[name],
                values[name],
                margin,
                same=_same(values[name], self.good.values[name]),
            )
            for name, margin in self.margins.items()
        ]
        return look_at(scalars, look, level)

    def _sampled(self, seeds: Seeds) -> Sampled:
        trials = seeds.trials.values()
        return Sampled(
            seeds.first.backend,
            seeds.first.run,
            seconds=sum(one.seconds for one in trials) / self.jobs,
            cached=all(one.cached for one in trials),
            values=seeds.values(self.margins),
            lost=len(trials) - len(seeds.runs),
            most=self.most,
        )

    def _level(self, at: int | None) -> float:
        if at is None:
            return level_of_part(self._parts)
        if at == self.count - 1:
            return ALPHA
        self._between += 1
        return level_between(self._between - 1, self.count)


def _same(values: Array, good: Array) -> bool:
    """Return whether each seed gives the same finite number as at the good point."""
    return bool(np.isfinite(values).all() and np.array_equal(values, good[: len(values)]))


def _alike(values: Array, margin: Margin) -> Truth:
    """Return the truth that another point is as the good one."""
    near = values[ordinary(values)]
    mean, deviation = float(near.mean()), float(deviation_of(near))
    rate = 1 - len(near) / len(values)
    return Truth((mean, mean), (deviation, deviation), margin, (rate, rate))
