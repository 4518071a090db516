"""What a user may change of a script's surroundings: names, and which values mean something.

A part of the contract between the recorder and the harness. The standard library alone, on
Python 3.7.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Tuple

ORDERS = ("sorted", "reversed", "shuffled")
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
MOST_SECONDS = 36500 * 86400  # by which the clock may be moved
MOST_BYTES = 1000000  # that the environment may grow by; the system ends at two million
MOST_PARTS = 16


def change(text: str) -> Tuple[str, str]:
    """Return the name and the value of "NAME=VALUE". Raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("%r is not NAME=VALUE" % text)
    if name not in CHANGES:
        raise ValueError("there is no %r; there are %s" % (name, ", ".join(CHANGES)))
    remedy, means_something = CHANGES[name]
    if not means_something(value):
        raise ValueError("%r means nothing; %s" % (text, remedy))
    return name, value


def moved_seconds(value: str) -> int:
    """Return by how many seconds a value of ``clock`` moves it; 0 where it means nothing."""
    match = re.fullmatch(r"([+-])([0-9]{1,12})(s|min|h|d)", value)
    return int(match.group(1) + match.group(2)) * UNITS[match.group(3)] if match else 0


def _is_number(most: int) -> Callable[[str], bool]:
    return lambda value: bool(re.fullmatch(r"[0-9]{1,10}", value)) and int(value) <= most


def _is_umask(value: str) -> bool:
    # The script's own user keeps every right: else no run could be written.
    return bool(re.fullmatch(r"0?0[0-7]{2}", value))


def _is_folder(value: str) -> bool:
    parts = value.split("/")
    fits = all(re.fullmatch(r"[\w@+-][\w@+ .-]{0,99}", part) for part in parts)
    return fits and len(parts) <= MOST_PARTS and parts[0] != "home"


CHANGES: Dict[str, Tuple[str, Callable[[str], bool]]] = {
    "clock": (
        "write +400d, -3h, +10min or +90s, at most 36500 days",
        lambda value: 0 < abs(moved_seconds(value)) <= MOST_SECONDS,
    ),
    "entropy": ("write a whole number to 4294967295", _is_number(2**32 - 1)),
    "environment-size": ("write bytes, to %d" % MOST_BYTES, _is_number(MOST_BYTES)),
    "folder": ("write a relative path of plain names, such as deep/other", _is_folder),
    "folder-order": ("write %s" % ", ".join(ORDERS), ORDERS.__contains__),
    "host": (
        "write letters, digits, '.' and '-'",
        lambda value: bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", value)),
    ),
    "umask": ("write three octal digits, the first 0, such as 077", _is_umask),
    "user": (
        "write a user's name",
        lambda value: bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", value)),
    ),
}
