"""What each workload depends on: a table for each backend, a row for each variation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.machines.runs import EMULATED, Document, processors, vary

HEAD = """\
## What they depend on

Each workload was run again and again with one thing changed at a time ([vary](guides/vary.md)). A
cell has the largest relative difference of any array, and how many arrays move.

- `=`: not a bit moves
- **bold**: further than the tolerances of the baseline allow
- –: this machine or this backend cannot make it; below each table, why
- ✗: the script fails under it"""


def sections(
    backends: Sequence[str], workloads: Sequence[str], engine: str, emulated: bool
) -> Iterator[str]:
    """Yield the lines of this part of the page, making the runs that are missing."""
    yield HEAD
    for backend in backends:
        found = {each: _varied(each, backend, engine, emulated) for each in workloads}
        yield from _section(backend, found)


def _varied(workload: str, backend: str, engine: str, emulated: bool) -> Document:
    slow: Document = {"variations": []}
    if emulated and workload in EMULATED:
        slow = vary(workload, backend, engine, *processors())
    plain = vary(workload, backend, engine)
    made = {one["name"]: one for one in slow["variations"]}
    variations = [made.get(one["name"], one) for one in plain["variations"]]
    return {**plain, "variations": variations}


def _section(backend: str, documents: Mapping[str, Document]) -> Iterator[str]:
    yield f"\n### {backend}\n"
    yield "| variation | " + " | ".join(documents) + " |"
    yield "|---" * (len(documents) + 1) + "|"
    rows = dict.fromkeys(one["name"] for each in documents.values() for one in _plain(each))
    for name in rows:
        cells = [cell(_of(each, name)) for each in documents.values()]
        if set(cells) - {"="}:
            yield f"| `{name}` | " + " | ".join(cells) + " |"
    rounding = [_rounding(each) for each in documents.values()]
    yield "| rounding: weights and data moved | " + " | ".join(rounding) + " |"
    still = [n for n in rows if {cell(_of(each, n)) for each in documents.values()} == {"="}]
    if still:
        yield f"\nNot a bit of any moves with {', '.join(f'`{name}`' for name in still)}."
    for why, skipped in _reasons(documents.values()).items():
        yield f"\nNot made: {', '.join(f'`{name}`' for name in skipped)}: {why}."


def _plain(document: Document) -> list[Document]:
    return [one for one in document["variations"] if not one["name"].startswith("ulps=")]


def _of(document: Document, name: str) -> Document | None:
    return next((one for one in document["variations"] if one["name"] == name), None)


def cell(one: Document | None) -> str:
    """Return what a variation did, in a cell."""
    if one is None or one["result"] == "skipped":
        return "–"
    if one["result"] == "failed":
        return "✗"
    if one["result"] == "same":
        return "="
    text = f"{_largest(one)} ({len(one['moved'])})"
    return f"**{text}**" if one["result"] == "beyond" else text


def _largest(one: Document) -> str:
    moved = [each for each in one["arrays"] if each["name"] in one["moved"]]
    sizes = [each["max_relative"] for each in moved if isinstance(each["max_relative"], float)]
    return f"{max(sizes):.1e}" if sizes else "other arrays"


def _rounding(document: Document) -> str:
    every = [one for one in document["variations"] if one["name"].startswith("ulps=")]
    moved = [one for one in every if one["result"] in ("moved", "beyond")]
    if not moved:
        return "–" if all(one["result"] == "skipped" for one in every) else "="
    worst = max(moved, key=lambda one: float(_largest(one).replace("other arrays", "inf")))
    text = f"{_largest(worst)} ({len(moved)} of {len(every)})"
    return f"**{text}**" if any(one["result"] == "beyond" for one in every) else text


def _reasons(documents: Iterable[Document]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for document in documents:
        for one in document["variations"]:
            if one["result"] == "skipped" and not one["name"].startswith("ulps="):
                names = reasons.setdefault(str(one["problem"]), [])
                if one["name"] not in names:
                    names.append(one["name"])
    return reasons
