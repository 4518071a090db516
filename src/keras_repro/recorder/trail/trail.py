"""The trail of a run: links in the order in which numbers come to be, kept small."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

from keras_repro.recorder.contract import MOST_TRAIL_BYTES, SCHEMA_VERSION
from keras_repro.recorder.trail.values import told

MOST_LINKS = 20000  # held in memory; the rest of a kind is told thinner and thinner long before
FIGURES = ("mean", "minimum", "maximum")


class Trail:
    """The links so far; ``figures`` says whether data are told by more than their digest."""

    def __init__(self, figures: bool = True) -> None:
        self.figures = figures
        self.links: List[Dict[str, Any]] = []
        self.left_out = 0

    def add(self, kind: str, step: int = 0, **facts: Any) -> None:
        """Add a link."""
        if len(self.links) < MOST_LINKS:
            self.links.append(dict(facts, kind=kind, step=step))
        else:
            self.left_out += 1

    def text(self) -> str:
        """Return the trail as JSON of at most 256 KB.

        What is left out follows from how many links of each kind there are, and not from what they
        tell: two runs of the same script leave out the same.
        """
        links = [dict(link) for link in self.links]
        text = self._as_json(links)
        for shorten in (_without_figures, _without_every_second, _by_one_digest):
            while len(text) > MOST_TRAIL_BYTES and shorten(links):
                text = self._as_json(links)
        while len(text) > MOST_TRAIL_BYTES:
            del links[len(links) // 2 :]
            text = self._as_json(links)
        return text

    def _as_json(self, links: List[Dict[str, Any]]) -> str:
        left_out = self.left_out + len(self.links) - len(links)
        lines = ",\n".join(json.dumps(link, sort_keys=True) for link in links)
        head = '{"schema_version": %d, "left_out": %d, "links": [\n' % (SCHEMA_VERSION, left_out)
        return head + lines + "\n]}\n"


def _without_figures(links: List[Dict[str, Any]]) -> bool:
    """Tell weights by digest and norm alone; return whether there was more."""
    found = False
    for link in links:
        if link["kind"] in ("weights", "initial weights"):
            weights = link["weights"]
            if any(name in facts for facts in weights.values() for name in FIGURES):
                found = True
                link["weights"] = {name: _short(facts) for name, facts in weights.items()}
    return found


def _short(facts: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in FIGURES}


def _without_every_second(links: List[Dict[str, Any]]) -> bool:
    """Leave out every second link of the largest group; return whether one had more than four."""
    groups: Dict[Tuple[Any, ...], List[int]] = {}
    for place, link in enumerate(links):
        if link["kind"] != "initial weights":
            group = tuple(link.get(name) for name in ("kind", "model", "call", "argument"))
            groups.setdefault(group, []).append(place)
    largest = max(
        (places for places in groups.values() if len(places) > 4),
        key=lambda places: sum(len(json.dumps(links[place])) for place in places) // 1024,
        default=[],
    )
    for place in reversed(largest[3:-1:2]):  # the first ones tell most
        del links[place]
    return bool(largest)


def _by_one_digest(links: List[Dict[str, Any]]) -> bool:
    """Tell all weights of each link by one digest; return whether there was one to shorten."""
    found = False
    for link in links:
        weights = link.get("weights", {})
        if len(weights) > 1:
            digests = "".join(facts["digest"] for _, facts in sorted(weights.items()))
            link["weights"] = {"all": {"digest": told(digests)["digest"], "dtype": "", "shape": []}}
            found = True
    return found
