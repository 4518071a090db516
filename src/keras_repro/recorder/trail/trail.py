"""The trail of a run: links in the order in which numbers come to be, kept small."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from keras_repro.recorder.contract import MOST_TRAIL_BYTES, SCHEMA_VERSION
from keras_repro.recorder.trail.thinning import (
    by_one_digest,
    cut,
    room_of,
    thinned,
    without_figures,
)

MOST_LINKS = 20000  # held in memory; the rest of a kind is told thinner and thinner long before
# Bytes of JSON, from which on weights that come are told in short, by one digest, and not at all.
IN_SHORT, BY_ONE, MOST_HELD = 2 << 20, 4 << 20, 8 << 20
HEAD = '{"schema_version": %d, "left_out": %d, "links": [\n'
MOST_HEAD = 128  # bytes of it, and of the end


class Trail:
    """The links so far; ``figures`` says whether data are told by more than their digest."""

    def __init__(self, figures: bool = True) -> None:
        self.figures = figures
        self.links: List[Dict[str, Any]] = []
        self.left_out = 0
        self._held = 0

    def add(self, kind: str, step: int = 0, **facts: Any) -> None:
        """Add a link. Names and texts without end are cut."""
        self.insert(len(self.links), [dict(facts, kind=kind, step=step)])

    def insert(self, place: int, links: List[Dict[str, Any]]) -> None:
        """Put links at a place among the others: the number of those before them."""
        taken: List[Dict[str, Any]] = []
        for link in links:
            kept = cut(link)
            if self._held > IN_SHORT:
                kept = without_figures(kept)
            room = room_of(kept)
            if self._held > BY_ONE or room > MOST_TRAIL_BYTES:
                kept = by_one_digest(kept)
                room = room_of(kept)
            full = len(self.links) + len(taken) >= MOST_LINKS and kept["kind"] != "generators"
            if full or self._held + room > MOST_HELD or room > MOST_TRAIL_BYTES:
                self.left_out += 1
                continue
            self._held += room
            taken.append(kept)
        self.links[place:place] = taken

    def text(self) -> str:
        """Return the trail as JSON of at most 256 KB.

        What is left out follows from how many links of each kind there are, and how they are
        called, and not from what they tell: two runs of the same script leave out the same.
        """
        links = thinned(self.links, MOST_TRAIL_BYTES - MOST_HEAD)
        left_out = self.left_out + len(self.links) - len(links)
        lines = ",\n".join(json.dumps(link, sort_keys=True) for link in links)
        return HEAD % (SCHEMA_VERSION, left_out) + lines + "\n]}\n"
