"""What the script's process says to the recorder: read as from a stranger, since scripts share it.

A message is a JSON document of known keys and types in one line. Anything else is not believed.
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO, Callable, Dict, Iterator, Optional

LONGEST = 64 << 20  # bytes of one line: the index of a million arrays
LONGEST_TEXT = 4096
OF_SUMMARY = ("dtype", "shape", "sha256", "nonfinite", "mean", "minimum", "maximum", "norm")


def read(control: BinaryIO) -> Iterator[Optional[Dict[str, Any]]]:
    """Yield each message that comes through a pipe; None for one that is none, and the last."""
    while True:
        line = control.readline(LONGEST)
        if not line:
            return
        message = parse(line)
        yield message
        if message is None:
            return


def parse(line: bytes) -> Optional[Dict[str, Any]]:
    """Return the message in a line, or None where there is none."""
    try:
        message = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    for name, value in message.items():
        if name not in KNOWN or not KNOWN[name](value):
            return None
    return message


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in types


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_table(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return what asks for an object whose values are all something."""
    return lambda value: isinstance(value, dict) and all(map(of, value.values()))


def _is_list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(of, value))


def _is_index_entry(value: Any) -> bool:
    """Whether it is what ArrayWriter tells of an array: its dtype and its shape."""
    return (
        isinstance(value, dict)
        and set(value) == {"dtype", "shape"}
        and _is_text(value["dtype"])
        and _is_list(lambda side: type(side) is int and side >= 0)(value["shape"])
    )


def _is_summary(value: Any) -> bool:
    """Whether it is what ArrayWriter tells of an array that it does not keep."""
    if not isinstance(value, dict) or set(value) != set(OF_SUMMARY):
        return False
    figures = [value[name] for name in ("mean", "minimum", "maximum", "norm")]
    return (
        _is_index_entry({"dtype": value["dtype"], "shape": value["shape"]})
        and _is_text(value["sha256"])
        and type(value["nonfinite"]) is int
        and 0 <= value["nonfinite"] < 1 << 63
        and all(one is None or (type(one) is float and math.isfinite(one)) for one in figures)
    )


def _is_keras(value: Any) -> bool:
    """Whether it is what facts.keras_facts returns."""
    return (
        _is_table(lambda one: one is None or _is_text(one) or type(one) in (int, float))(value)
        and {"version", "backend"} <= set(value)
        and all(value[name] is None or _is_text(value[name]) for name in ("version", "backend"))
    )


_is_yes = _is(bool)
_is_texts = _is_table(_is_text)

KNOWN: Dict[str, Callable[[Any], bool]] = {
    "steps": lambda value: type(value) is int and 0 <= value < 1 << 63,
    "started": _is_yes,
    "packages": _is_texts,
    "script_ended": _is_yes,
    "error": _is_text,
    "network": _is_list(_is_text),
    "completed": _is_yes,
    "arrays": _is_table(_is_index_entry),
    "summaries": _is_table(_is_summary),
    "not_recorded": _is_texts,
    "planted": _is_texts,
    "keras": _is_keras,
    "determinism": _is_table(lambda value: value is None or type(value) in (bool, int, str, float)),
    "modules": _is_texts,
    "cannot_write": _is_text,
    "forks_trained": _is_yes,
    "had_processes": _is_yes,
    "imports": _is_list(_is_text),
    "variables": _is_table(lambda value: value is None or _is_text(value)),
    "not_forked": _is_text,
}
OF_COMPLETED = ("steps", "arrays", "summaries", "not_recorded", "planted") + (
    ("keras", "determinism", "modules")
)
