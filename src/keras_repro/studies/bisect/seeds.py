"""Run a workload at a point from many seeds, a few first and more where it is asked for."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from keras_repro.engines import Engine
from keras_repro.numbers.differences import Array
from keras_repro.project.workload import Workload
from keras_repro.runs.run import Run
from keras_repro.studies.ensemble.ensemble import seeds_of, variation_of
from keras_repro.studies.ensemble.scalars import scalars_of
from keras_repro.studies.judge import Attempt
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.train.side_by_side import side_by_side
from keras_repro.studies.trial import Trial


@dataclass
class Seeds:
    """The seeds of a workload at a point: its own, and those that follow it.

    ``jobs`` of them run at the same time. ``trials`` has what became of each, ``scalars`` the
    numbers of those that ended with a run, both by how many seeds are before it.
    """

    workload: Workload
    attempt: Attempt
    progress: Progress
    engine: Engine
    jobs: int = 1
    trials: dict[int, Trial] = field(default_factory=dict)
    scalars: dict[int, dict[str, float]] = field(default_factory=dict)

    def reach(self, count: int) -> None:
        """Make the runs that are missing to so many seeds. Raises as an attempt does."""
        lock = threading.Lock()
        seeds = seeds_of(self.workload.conditions, count)

        def one(number: int) -> None:
            variation = variation_of(self.workload.conditions, seeds[number])
            conditions = variation.under(self.workload.conditions)
            # Of several at a time none can say for all how far it is.
            progress = self.progress if self.jobs == 1 else replace(self.progress)
            trial = self.attempt(replace(self.workload, conditions=conditions), progress)
            numbers = None if trial.run is None else scalars_of(trial.run.all_arrays)
            with lock:
                self.trials[number] = trial
                if numbers is not None:
                    self.scalars[number] = numbers
                self._say(count)

        self._say(count)
        side_by_side(range(len(self.trials), count), one, self.jobs, self.engine)
        self.progress.phase = "comparing"

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
