"""What goes wrong in parity, and how it is said."""

from __future__ import annotations

import re

LONGEST = 300


class ParityError(Exception):
    """What is to be compared cannot be; the message names the layer and says why."""


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in one line of at most 300 characters."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error))  # Keras 3 writes in colours
    return ("%s: %s" % (type(error).__name__, " ".join(text.split())))[:LONGEST]
