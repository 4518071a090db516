"""What was kept so far of one model, under names that go on from what was kept."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from keras_repro.recorder.contract import ArrayName, Kind


class Numbers:
    """The series of a model, by name, and how many of each numbered kind there are."""

    def __init__(self, model: int) -> None:
        self.model = model
        self.prefix = ArrayName(model, Kind.OWN, "").prefix
        self.series: Dict[ArrayName, List[Any]] = {}
        self._counts: Dict[Kind, int] = {}

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


class WatchedModel:
    """A model of the script, and what it has shown so far."""

    def __init__(self, model: Any, numbers: Numbers) -> None:
        self.model = model
        self.numbers = numbers
        self.has_initial = False
        self.final: Optional[Dict[str, Any]] = None
