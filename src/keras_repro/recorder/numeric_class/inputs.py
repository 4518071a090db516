"""The kernels' inputs: the same bits everywhere, and no generator's, whose releases differ.

Every number is an integer of at most 22 bits times a power of two, so that no library rounds it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SCALE = 22  # bits of a number; a float32 holds 24


def spread(seed: int, *shape: int, dtype: Any = np.float32) -> Any:
    """Return an array of this shape: numbers all over [-1, 1), others for each seed."""
    count = 1
    for side in shape:
        count *= side
    # Multiplied by large odd numbers modulo 2**32, neighbours land far apart.
    numbers = (np.arange(1, count + 1, dtype=np.uint64) + 40503 * seed) * 2654435761 % (1 << 32)
    numbers ^= numbers >> np.uint64(15)
    numbers = numbers * np.uint64(2246822519) % np.uint64(1 << 32)
    integers = (numbers >> np.uint64(32 - SCALE - 1)).astype(np.int64) - (1 << SCALE)
    return (integers.astype(np.float64) / (1 << SCALE)).astype(dtype).reshape(shape)
