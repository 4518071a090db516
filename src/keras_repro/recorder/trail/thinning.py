"""Make links of the trail smaller, and fewer, until they have room: in about linear time.

How much room a link takes is counted without regard to its figures, so that two runs of the same
script are thinned alike.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from typing import Any, Dict, List, Tuple

from keras_repro.recorder.trail.values import told

Link = Dict[str, Any]

FIGURES = ("mean", "minimum", "maximum")
FIGURE_BYTES = 16  # the longest: -1.23456789e-308
LONGEST = 200  # characters of a name or a text
FEW = 4  # links of a group that stay


def cut(value: Any) -> Any:
    """Return a link, or a part of it, with every text cut that is too long to be a name.

    Two that differ do so afterwards, too.
    """
    if isinstance(value, str) and len(value) > LONGEST:
        digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8)
        return "%s… %s" % (value[: LONGEST // 2], digest.hexdigest())
    if isinstance(value, dict):
        return {cut(name): cut(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [cut(part) for part in value]
    return value


def room_of(value: Any) -> int:
    """Return for how many bytes of JSON a link, or a part of it, has to have room, at most."""
    if isinstance(value, dict):
        return 2 + sum(_of_text(name) + 4 + room_of(part) for name, part in value.items())
    if isinstance(value, list):
        return 2 + sum(2 + room_of(part) for part in value)
    if isinstance(value, str) and value not in ("nan", "inf", "-inf"):
        return _of_text(value)
    if isinstance(value, int):
        return len(str(value))
    return FIGURE_BYTES  # a figure, null, or a model, which is a number in the end


def _of_text(text: str) -> int:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return len(text) + 2
    return len(json.dumps(text))


def without_figures(link: Link) -> Link:
    """Return a link whose weights are told by digest and norm alone."""
    if not link.get("weights"):
        return link
    short = {
        name: {fact: value for fact, value in facts.items() if fact not in FIGURES}
        for name, facts in link["weights"].items()
    }
    return dict(link, weights=short)


def by_one_digest(link: Link) -> Link:
    """Return a link all of whose weights are told by one digest."""
    weights = link.get("weights", {})
    if len(weights) < 2:
        return link
    digests = "".join(facts["digest"] for _, facts in sorted(weights.items()))
    value = {"digest": told(digests)["digest"], "dtype": "", "shape": []}
    return dict(link, weights={"all": value})


def thinned(links: List[Link], most: int) -> List[Link]:
    """Return links in their order that take at most so many bytes of JSON.

    Weights lose their figures first; then every second link goes, of what takes most room; then
    all weights of a link are told by one digest. Of very many models, the first ones are told.
    """
    links = list(links)
    rooms = [_line(link) for link in links]
    if sum(rooms) > most:
        links = [without_figures(link) for link in links]
        rooms = [_line(link) for link in links]
    kept = _without_every_second(links, rooms, most)
    links, rooms = [links[place] for place in kept], [rooms[place] for place in kept]
    if sum(rooms) > most:
        links = [by_one_digest(link) for link in links]
        rooms = [_line(link) for link in links]
    return _the_first(links, rooms, most)


def _line(link: Link) -> int:
    return room_of(link) + 2  # with the comma and the end of its line


def _without_every_second(links: List[Link], rooms: List[int], most: int) -> List[int]:
    """Return the places of the links that stay: the largest group loses every second, and anew."""
    groups: Dict[Tuple[Any, ...], List[int]] = {}
    for place, link in enumerate(links):
        if link["kind"] != "initial weights":
            group = tuple(link.get(name) for name in ("kind", "model", "call", "argument"))
            groups.setdefault(group, []).append(place)
    heap = [
        (-sum(rooms[place] for place in places), places[0], places)
        for places in groups.values()
        if len(places) > FEW
    ]
    heapq.heapify(heap)
    total, gone = sum(rooms), set()
    while total > most and heap:
        size, first, places = heapq.heappop(heap)
        going = places[3:-1:2]  # the first ones tell most
        freed = sum(rooms[place] for place in going)
        gone.update(going)
        total -= freed
        left = places[:3] + places[4:-1:2] + places[-1:]
        if len(left) > FEW:
            heapq.heappush(heap, (size + freed, first, left))
    return [place for place in range(len(links)) if place not in gone]


def _the_first(links: List[Link], rooms: List[int], most: int) -> List[Link]:
    """Return the first links, as many as have room; before others the states of generators."""
    told_first = sorted(range(len(links)), key=lambda place: links[place]["kind"] != "generators")
    kept = []
    for place in told_first:
        if rooms[place] > most:
            break
        most -= rooms[place]
        kept.append(place)
    return [links[place] for place in sorted(kept)]
