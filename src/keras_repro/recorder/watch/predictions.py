"""What models predict: an array for each call, or one for the many calls of a loop."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.contract import ArrayName
from keras_repro.recorder.watch.spool import Slot, Spool

MOST_APART = 16  # calls of one line; of more, a person wants one array


class Predicted(NamedTuple):
    """A leaf of one prediction."""

    name: ArrayName  # predictions/<number>
    suffix: str  # of the leaf, where a prediction has several
    slot: Slot


class Predictions:
    """The predictions of a script until its end; they wait in ``spool``."""

    spool: Spool

    def __init__(self) -> None:
        self._groups: Dict[Tuple[Any, ...], List[Predicted]] = {}

    def add(self, name: ArrayName, suffix: str, value: Any, place: Any) -> None:
        """Keep a leaf of a prediction, made at a place of the script.

        Raises:
            ValueError: it holds no numbers.
        """
        slot = self.spool.put(value)
        # What differs in shape or dtype, a last smaller batch say, is of another group.
        group = (name.model, place, suffix, slot.dtype.str, slot.dtype.name, slot.shape)
        self._groups.setdefault(group, []).append(Predicted(name, suffix, slot))

    def write(self, arrays: ArrayWriter) -> None:
        """Write them all. Raises CannotWriteError."""
        for group in self._groups.values():
            slot = group[0].slot
            if len(group) > MOST_APART:
                first, last = group[0], group[-1]
                rest = "%s-%s%s" % (first.name.rest, last.name.rest, first.suffix)
                shape, parts = (len(group),) + slot.shape, self._parts(group)
                name = first.name._replace(rest=rest)
                arrays.write_blocks(str(name), slot.dtype, shape, parts)
                continue
            for one in group:
                name = one.name._replace(rest=one.name.rest + one.suffix)
                arrays.write_blocks(str(name), slot.dtype, slot.shape, self._parts([one]))

    def _parts(self, group: List[Predicted]) -> Iterator[Any]:
        for one in group:
            yield from self.spool.blocks(one.slot)
