"""Keep what the model was tested with and asked to predict: for plots, never compared."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy

from keras_repro.recorder.arrays import ArrayWriter

MOST_BYTES = 1 << 20  # of one array
MOST_ARRAYS = 16


def keep(
    writer: ArrayWriter, key: str, args: Tuple[Any, ...], kwargs: Dict[str, Any], names: str
) -> None:
    """Write the arguments called ``names``, one letter each, as ``<key>.<name>``.

    Only small NumPy arrays of numbers: anything else, a generator say, could notice.
    """
    for place, name in enumerate(names):
        value = args[place] if place < len(args) else kwargs.get(name)
        if (
            type(value) is numpy.ndarray
            and value.dtype.kind in "biuf"
            and value.nbytes <= MOST_BYTES
            and len(writer.index) < MOST_ARRAYS
        ):
            writer.write("%s.%s" % (key, name), value)
