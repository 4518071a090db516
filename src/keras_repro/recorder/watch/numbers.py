"""What was kept so far of one model, under names that go on from what was kept."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy

from keras_repro.recorder.contract import TRAIN, ArrayName, Kind
from keras_repro.recorder.watch.results import safe


class Numbers:
    """The series of a model, by name, and how many of each numbered kind there are.

    ``seen_costs`` are those of a loop of the script's own, each, or several at once, with how many
    costs there were before it from Keras' methods.
    """

    def __init__(self, model: int) -> None:
        self.model = model
        self.prefix = ArrayName(model, Kind.OWN, "").prefix
        self.series: Dict[ArrayName, List[Any]] = {}
        self.steps = 0
        self.seen_costs: List[Tuple[int, Any]] = []
        self._counts: Dict[Kind, int] = {}
        self._safe: Dict[str, str] = {}

    def name(self, kind: Kind, rest: str) -> ArrayName:
        """Return the name of an array of this model."""
        return ArrayName(self.model, kind, rest)

    def next(self, kind: Kind) -> ArrayName:
        """Return the next name of a kind that is numbered, from 0: predictions, tests, fits."""
        count = self._counts[kind] = self._counts.get(kind, -1) + 1
        return self.name(kind, str(count))

    def add(self, kind: Kind, rest: str, value: Any) -> None:
        """Append a value to a series."""
        self.series.setdefault(self.name(kind, rest), []).append(value)

    def costs(self) -> List[Any]:
        """Return the costs of its training by Keras' methods, so far."""
        return self.series.get(self.name(Kind.COST, TRAIN), [])

    def join_seen_costs(self) -> None:
        """Put the costs of a loop among those of Keras' methods, in the order of time."""
        if not self.seen_costs:
            return
        series = self.series.setdefault(self.name(Kind.COST, TRAIN), [])
        merged: List[Any] = []  # from the last to the first: each is touched once
        end = len(series)
        for place, cost in reversed(self.seen_costs):
            if place < end:  # of Keras' costs, some may have been taken for one since
                merged.extend(reversed(series[place:end]))
                end = place
            if cost is not None:  # one, or those of several steps
                merged.extend(reversed(numpy.atleast_1d(cost)))
        merged.extend(reversed(series[:end]))
        merged.reverse()
        series[:] = merged
        self.seen_costs = []

    def safe(self, name: str) -> str:
        """Return a metric's name as an array's has it; two that would be the same are numbered."""
        if name not in self._safe:
            made = given = safe(name)
            count = 1
            while made in self._safe.values():
                count += 1
                made = "%s_%d" % (given, count)
            self._safe[name] = made
        return self._safe[name]
