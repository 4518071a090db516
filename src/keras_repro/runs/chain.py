"""The chain of a baseline's history: each acceptance carries the digest of the one before it."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from keras_repro.runs.array_verdict import ArrayVerdict


class HistoryEntry(BaseModel):
    """One acceptance: when and why, in which environment, and what changed by how much.

    ``only`` holds the patterns of the arrays that were accepted, where not all were.
    ``final_cost`` is the last training cost. ``changes`` is None where nothing stood before.
    ``arrays_sha256`` is what was accepted, ``summaries_sha256`` what was of arrays that are not
    kept, ``calibration_sha256`` what was measured of how far arrays may be off, and ``previous``
    the digest of the entry before, None in the first one; all are None in entries from before there
    was such a thing.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

    accepted: str
    reason: str
    environment: dict[str, str] = {}
    only: list[str] = []
    final_cost: float | None = None
    changed_facts: list[str] = []
    changes: list[ArrayVerdict] | None = None
    arrays_sha256: str | None = None
    summaries_sha256: str | None = None
    calibration_sha256: str | None = None
    previous: str | None = None


class Link(BaseModel):
    """The digests of what an entry accepts; None where there is no such thing."""

    model_config = ConfigDict(defer_build=True)

    arrays_sha256: str
    summaries_sha256: str | None = None
    calibration_sha256: str | None = None


def linked(history: list[HistoryEntry], link: Link) -> list[HistoryEntry]:
    """Return a history whose last entry carries what was accepted and the digest of the one before.

    The others stay as they are.
    """
    known = link.model_dump(exclude_none=True)
    if history[1:]:
        known["previous"] = digest(history[-2])
    return [*history[:-1], history[-1].model_copy(update=known)]


def digest(entry: HistoryEntry) -> str:
    """Return the SHA-256 of an entry in hexadecimal, over its JSON in one form."""
    text = json.dumps(written(entry), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def written(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry as ``baseline.json`` has it: without fields that it never had.

    So its digest stays the same when a later version knows more fields.
    """
    return entry.model_dump(mode="json", exclude_unset=True)
