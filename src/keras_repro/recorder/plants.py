"""Which changes may be planted in a training, and how large: names, and values that mean something.

A part of the contract between the recorder and the harness. The standard library alone, on
Python 3.7.
"""

from __future__ import annotations

import re
from typing import Tuple

LEARNING_RATE, DATUM, WEIGHT = "learning-rate", "datum", "initial-weight"
EPSILON = "epsilon"  # of a batch normalization
PLANTS = (LEARNING_RATE, DATUM, WEIGHT, EPSILON)
LARGEST = 1.0


def plant(text: str) -> Tuple[str, str]:
    """Return the name and the value of "NAME=X": it is multiplied by 1 + X. Raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("%r is not NAME=X" % text)
    if name not in PLANTS:
        raise ValueError("there is no %r to plant; there are %s" % (name, ", ".join(PLANTS)))
    number = r"[0-9]{1,9}(\.[0-9]{1,9})?(e-[0-9]{1,2})?"
    if not re.fullmatch(number, value) or not 0 < float(value) <= LARGEST:
        raise ValueError("%r means nothing; write a number up to 1, such as 1e-4" % text)
    return name, value
