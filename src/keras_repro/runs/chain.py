"""The chain of a baseline's history: each acceptance carries the digest of the one before it."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from keras_repro.runs.published import ArrayVerdict


class HistoryEntry(BaseModel):
    """One acceptance: when and why, in which environment, and what changed by how much.

    ``only`` holds the patterns of the arrays that were accepted, where not all were.
    ``final_cost`` is the last training cost. ``changes`` is None where nothing stood before.
    ``arrays_sha256`` is what was accepted, ``summaries_sha256`` what was of arrays that are not
    kept, and ``previous`` the digest of the entry before, None in
    the first one; both are None in entries from before there was a chain.
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
    previous: str | None = None


def linked(
    history: list[HistoryEntry], arrays_sha256: str, summaries_sha256: str | None = None
) -> list[HistoryEntry]:
    """Return a history whose last entry carries what was accepted and the digest of the one before.

    The others stay as they are.
    """
    link: dict[str, str] = {"arrays_sha256": arrays_sha256}
    if summaries_sha256 is not None:
        link["summaries_sha256"] = summaries_sha256
    if history[1:]:
        link["previous"] = digest(history[-2])
    return [*history[:-1], history[-1].model_copy(update=link)]


def digest(entry: HistoryEntry) -> str:
    """Return the SHA-256 of an entry in hexadecimal, over its JSON in one form."""
    text = json.dumps(written(entry), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def written(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry as ``baseline.json`` has it: without fields that it never had.

    So its digest stays the same when a later version knows more fields.
    """
    return entry.model_dump(mode="json", exclude_unset=True)
