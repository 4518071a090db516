"""Run a workload at a point from many seeds, a few first and more where it is asked for."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

import numpy as np

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.numbers.differences import Array
from keras_repro.project.workload import Workload
from keras_repro.runs.run import Run
from keras_repro.studies.ensemble.ensemble import seeds_of, variation_of
from keras_repro.studies.ensemble.forks import forks_of, let_go
from keras_repro.studies.ensemble.scalars import scalars_of
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.train.side_by_side import side_by_side
from keras_repro.studies.trial import Trial, try_in


@dataclass
class Seeds:
    """The seeds of a workload at a point: its own, and those that follow it, ``most`` of them.

    ``jobs`` of them run at the same time. ``trials`` has what became of each, ``scalars`` the
    numbers of those that ended with a run, both by how many seeds are before it.
    """

    workload: Workload
    backend: Backend
    progress: Progress
    engine: Engine
    most: int
    jobs: int = 1
    trials: dict[int, Trial] = field(default_factory=dict)
    scalars: dict[int, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._forks = forks_of(self.engine, self.workload.conditions, self.most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        let_go(self.engine)

    def reach(self, count: int) -> None:
        """Make the runs that are missing to so many seeds, many in forks. Raises as try_in does."""
        missing, run = range(len(self.trials), count), partial(self._run, count)
        self._say(count)
        if self._forks is None:
            run(missing, self.engine)
        else:
            self._forks.make(missing, run)
        self.progress.phase = "comparing"

    def _run(self, count: int, numbers: Sequence[int], engine: Engine) -> None:
        lock = threading.Lock()
        seeds = seeds_of(self.workload.conditions, count)

        def one(number: int) -> None:
            variation = variation_of(self.workload.conditions, seeds[number])
            conditions = variation.under(self.workload.conditions)
            # Of several at a time none can say for all how far it is.
            progress = self.progress if self.jobs == 1 else replace(self.progress)
            workload = replace(self.workload, conditions=conditions)
            trial = try_in(workload, self.backend, engine, progress, among=self.workload)
            scalars = None if trial.run is None else scalars_of(trial.run.all_arrays)
            with lock:
                self.trials[number] = trial
                if scalars is not None:
                    self.scalars[number] = scalars
                self._say(count)

        side_by_side(numbers, one, self.jobs, engine)

    def _say(self, count: int) -> None:
        done = len(self.trials)
        self.progress.part = f"{done} of {count} seeds"
        if self.jobs > 1 and done < count:
            self.progress.phase = "training"

    @property
    def runs(self) -> list[Run]:
        """The runs that there are, in order."""
        trials = (self.trials[number] for number in sorted(self.trials))
        return [run for trial in trials if (run := trial.run) is not None]

    @property
    def first(self) -> Trial:
        """What became of the first seed that left a run, or of the first where none did."""
        return self.trials[min(self.scalars or self.trials)]

    @property
    def names(self) -> list[str]:
        """The scalars that any seed has."""
        return list(dict.fromkeys(n for at in sorted(self.scalars) for n in self.scalars[at]))

    def values(self, names: Iterable[str]) -> dict[str, Array]:
        """Return {scalar: [seeds] float64}, NaN of a seed without a number."""
        order = range(len(self.trials))
        return {
            name: np.array([self.scalars.get(at, {}).get(name, np.nan) for at in order])
            for name in names
        }
