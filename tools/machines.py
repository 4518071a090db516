"""Vary every bundled workload on every backend; write what depends on what: make machines.

Each run is kept in artifacts/machines/. What was interrupted goes on, and what is there is not run
again: asked again, it takes minutes. Processors are emulated where EMULATED names the workload.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.recorder import facts
from keras_repro.workloads import __file__ as bundled

CONFIG = Path(bundled).with_name("keras-repro.toml")
PAGE, PLACE = Path("docs/machines.md"), Path("artifacts/machines")
WORKLOADS = ("regression", "sine", "classifier", "convnet", "two_inputs", "gan", "custom_step")
EMULATED = ("regression", "sine", "custom_step")  # it takes ten times as long
PROCESSORS = ("Nehalem", "Haswell", "max")
GOOD = (0, 1, 4)  # exit codes: nothing moves too far, something does, a variation failed
HEAD = """\
# What other machines change

What every bundled workload depends on, on every backend: each was run again and again with one
thing changed at a time ([vary](guides/vary.md)), on {machine}. A cell has the largest relative
difference of any array, and how many arrays move.

- `=`: not a bit moves
- **bold**: further than the tolerances of the baseline allow
- –: this machine or this backend cannot make it; below each table, why
- ✗: the script fails under it

This page is made by `make machines`, which can be interrupted and goes on.
"""

Document = dict[str, Any]


def main() -> int:
    """Make the runs that are missing, and write the page; return an exit code."""
    parser = argparse.ArgumentParser(prog="make machines", description=__doc__)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--backend", action="append", default=[])
    parser.add_argument("--workload", action="append", default=[], choices=WORKLOADS)
    parser.add_argument("--no-emulation", action="store_true", help="Emulate no processor.")
    parser.add_argument("--write", action="store_true", help=f"Write {PAGE}, and do not print it.")
    options = parser.parse_args()
    names, workloads = options.backend or list(backends.load()), options.workload or WORKLOADS
    found = {}
    for backend in names:
        for workload in workloads:
            print(f"{workload} on {backend}", file=sys.stderr, flush=True)
            document = varied(workload, backend, options.engine, not options.no_emulation)
            if document is None:
                return 1
            found[workload, backend] = document
    page = "\n".join([HEAD.format(machine=_machine()), *_sections(found, names, workloads)])
    if options.write:
        write_whole(PAGE, f"{page}\n".encode())
    else:
        print(page)
    return 0


def varied(workload: str, backend: str, engine: str, emulated: bool) -> Document | None:
    """Return what ``vary`` says of a workload on a backend; None where it cannot be varied."""
    command = ["--config", str(CONFIG), "vary", workload, "--backend", backend]
    command += ["--engine", engine, "--artifacts", str(PLACE), "--baselines", "baselines"]
    chosen = [f"processor={name}" for name in PROCESSORS] if workload in EMULATED else []
    if emulated and chosen:
        more = [word for name in chosen for word in ("--only", name)]
        found = _run([*command, "--emulated", "--jobs", "2", *more])
        if found is None:
            return None
    else:
        found = {"variations": []}
    plain = _run(command)
    if plain is None:
        return None
    made = {one["name"]: one for one in found["variations"]}
    variations = [made.get(one["name"], one) for one in plain["variations"]]
    return {**plain, "variations": variations}


def _run(words: Sequence[str]) -> Document | None:
    command = [sys.executable, "-m", "keras_repro", *words, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode not in GOOD or not done.stdout:
        return None
    document: Document = json.loads(done.stdout)
    return document


def _sections(
    found: Mapping[tuple[str, str], Document], names: Sequence[str], workloads: Sequence[str]
) -> Iterator[str]:
    for backend in names:
        documents = {each: found[each, backend] for each in workloads}
        yield f"\n## {backend}\n"
        yield "| variation | " + " | ".join(workloads) + " |"
        yield "|---" * (len(workloads) + 1) + "|"
        rows = dict.fromkeys(one["name"] for each in documents.values() for one in _plain(each))
        for name in rows:
            cells = [_cell(_of(each, name)) for each in documents.values()]
            if set(cells) - {"="}:
                yield f"| `{name}` | " + " | ".join(cells) + " |"
        rounding = [_rounding(each) for each in documents.values()]
        yield "| rounding: first weights moved | " + " | ".join(rounding) + " |"
        still = [n for n in rows if {_cell(_of(each, n)) for each in documents.values()} == {"="}]
        if still:
            yield f"\nNot a bit of any moves with {', '.join(f'`{name}`' for name in still)}."
        for why, skipped in _reasons(documents.values()).items():
            yield f"\nNot made: {', '.join(f'`{name}`' for name in skipped)}: {why}."


def _plain(document: Document) -> list[Document]:
    return [one for one in document["variations"] if not one["name"].startswith("ulps=")]


def _of(document: Document, name: str) -> Document | None:
    return next((one for one in document["variations"] if one["name"] == name), None)


def _cell(one: Document | None) -> str:
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


def _machine() -> str:
    cpu = facts.cpu_facts()
    return f"{cpu['cores']} cores of {cpu['model']} ({', '.join(cpu['instruction_sets'])})"


if __name__ == "__main__":
    sys.exit(main())
