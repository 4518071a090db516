"""Who asks: the script, a library, Python's own library, or the recorder.

What a script is told must not depend on how often others asked: a library reads the clock more
often where it compiles something that it finds ready in the next run.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import secrets
import sys
import threading
import uuid
from typing import Any, Dict

SCRIPT, LIBRARY, STANDARD, RECORDER = "script", "library", "standard", "recorder"
PASSED = "passed"  # they ask for their own caller
OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
RECORDERS = os.path.dirname(OWN[:-1]) + os.sep
STANDARD_FOLDER = os.path.dirname(threading.__file__) + os.sep
PACKAGES = re.compile(r"[\\/](site|dist)-packages[\\/]")


_known: Dict[str, str] = {module.__file__ or "": PASSED for module in (random, secrets, uuid)}
# They note or replace what the script seeds, and ask for nothing themselves.
_known[os.path.join(RECORDERS, "trail", "generators.py")] = PASSED
_known[os.path.join(RECORDERS, "own_seeds.py")] = PASSED


def caller() -> str:
    """Return who called what stands here: of the callers, the first that asks for itself."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        kind = _known.get(name) or _known.setdefault(name, _kind(name))
        if kind is not PASSED:
            return kind
        frame = frame.f_back
    return STANDARD


def _kind(path: str) -> str:
    if path.startswith(OWN):
        return PASSED
    if path.startswith(RECORDERS):
        return RECORDER
    if PACKAGES.search(path):
        return LIBRARY
    if path.startswith((STANDARD_FOLDER, "<frozen ")):
        return STANDARD
    return SCRIPT


def number(below: int, *words: object) -> int:
    """Return a number from 0 on that these words decide, the run's seed among them."""
    made = hashlib.blake2b(repr(words).encode(), digest_size=32).digest()
    return int.from_bytes(made, "big") % below
