"""The file between two runs: the reference writes it, another run takes its weights and inputs.

Both runs write a file of their own, ``parity.npz``, with what they compute. Only the reference's
also has initial weights, the first batch and the inputs of each layer.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy

from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.parity import distance
from keras_repro.recorder.parity.calls import Call
from keras_repro.recorder.parity.nested import filled, flat
from keras_repro.recorder.parity.problems import ParityError

MOST_BYTES = 1 << 28  # of an array: what has more is an error, said in its place


class Batch(NamedTuple):
    """A first batch for the probe, and how this run's own differs from the reference's.

    ``fits`` is False where the reference's cannot take its place, for it has another shape or
    other parts.
    """

    x: Any
    y: Any
    facts: List[Dict[str, Any]]
    fits: bool


class Exchange:
    """Writes arrays into this run's file, and reads those of the reference's."""

    def __init__(self, path: str, given: Optional[str]) -> None:
        """``given`` is the reference's file, or None where this run is the reference."""
        self._writer = ArrayWriter(path)
        self._given: Any = None if given is None else numpy.load(given, allow_pickle=False)

    @property
    def is_reference(self) -> bool:
        """Whether others take from this run."""
        return self._given is None

    def kept(self, key: str) -> bool:
        """Whether there is a reference that kept this array."""
        return self._given is not None and key in self._given

    def taken(self, key: str) -> Any:
        """Return an array that the reference kept."""
        return self._given[key]

    def write(self, key: str, value: Any) -> None:
        """Write an array.

        Raises:
            ParityError: it is larger than 256 MiB.
        """
        array = numpy.asarray(value)
        if array.nbytes > MOST_BYTES:
            raise ParityError("%s has %d bytes, too many to keep" % (key, array.nbytes))
        self._writer.write(key, array)

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def batch(self, prefix: str, x: Any, y: Any) -> Batch:
        """Write the first batch, or return the reference's instead of it.

        Another model may have made the batch, as a GAN's does: then it differs by rounding.
        """
        found: List[Dict[str, Any]] = []
        exchanged, fits = [], True
        for name, value in (("x", x), ("y", y)):
            parts = []
            for index, part in enumerate(flat(value)):
                key = "%sbatch/%s/%d" % (prefix, name, index)
                array = numpy.asarray(part)
                if self.is_reference:
                    self.write(key, array)
                elif not self.kept(key):
                    found.append({"key": key, "missing": True})
                    fits = False
                else:
                    given = self.taken(key)
                    found.append(dict(distance.facts(given, array), key=key))
                    fits = fits and given.shape == array.shape
                    array = given
                parts.append(array)
            exchanged.append(filled(value, parts))
        return Batch(exchanged[0], exchanged[1], found, fits)

    def inputs(self, key: str, call: Call) -> Tuple[List[Any], List[Any], Dict[str, Any]]:
        """Write what a layer is given, or return what the reference's was given instead.

        Return inputs, masks, and facts: in ``arrived`` how far the layer's own inputs are from the
        reference's; ``other_mask`` where it has another mask.

        Raises:
            ParityError: the reference does not call the layer with so many inputs.
        """
        if self.is_reference:
            for index, (value, mask) in enumerate(zip(call.inputs, call.masks)):
                self.write("%s/input/%d" % (key, index), value)
                if mask is not None:
                    self.write("%s/mask/%d" % (key, index), mask)
            return list(call.inputs), list(call.masks), {}
        inputs, masks, arrived = [], [], []
        facts: Dict[str, Any] = {}
        for index, (value, mask) in enumerate(zip(call.inputs, call.masks)):
            name, mask_name = "%s/input/%d" % (key, index), "%s/mask/%d" % (key, index)
            if not self.kept(name):
                raise ParityError("the reference does not call this layer so")
            inputs.append(self.taken(name))
            masks.append(self.taken(mask_name) if self.kept(mask_name) else None)
            arrived.append(distance.apart(inputs[-1], value))
            if not distance.same_mask(masks[-1], mask):
                facts["other_mask"] = True
        facts["arrived"] = distance.furthest(arrived)
        return inputs, masks, facts
