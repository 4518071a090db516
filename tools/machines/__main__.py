"""Vary every bundled workload on every backend; write what depends on what: make machines.

Each run is kept in artifacts/machines/. What was interrupted goes on, and what is there is not run
again: asked again, it takes minutes. Processors are emulated where EMULATED names the workload.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.recorder import facts
from tools.machines import depends, portable, tolerances
from tools.machines.runs import WORKLOADS

PAGE = Path("docs/machines.md")
HEAD = """\
# What other machines change

What every bundled workload depends on, on every backend, measured on {machine}. This page is made
by `make machines`, which can be interrupted and goes on.
"""


def main() -> None:
    """Make the runs that are missing, and write the page."""
    parser = argparse.ArgumentParser(prog="make machines", description=__doc__)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--backend", action="append", default=[])
    parser.add_argument("--workload", action="append", default=[], choices=WORKLOADS)
    parser.add_argument("--no-emulation", action="store_true", help="Emulate no processor.")
    parser.add_argument("--write", action="store_true", help=f"Write {PAGE}, and do not print it.")
    page = "\n".join(_lines(options := parser.parse_args()))
    if options.write:
        write_whole(PAGE, f"{page}\n".encode())
    else:
        print(page)


def _lines(options: argparse.Namespace) -> Iterator[str]:
    chosen = backends.select(tuple(options.backend))
    names, workloads = [backend.name for backend in chosen], options.workload or WORKLOADS
    asked = workloads, options.engine, not options.no_emulation
    yield HEAD.format(machine=_machine())
    for title, lines in {
        "what they depend on": depends.sections(names, *asked),
        "measured tolerances": tolerances.sections(chosen, *asked),
        "portable runs": portable.sections(names, *asked),
    }.items():
        print(f"{title}:", file=sys.stderr, flush=True)
        yield from lines


def _machine() -> str:
    cpu = facts.cpu_facts()
    return f"{cpu['cores']} cores of {cpu['model']} ({', '.join(cpu['instruction_sets'])})"


if __name__ == "__main__":
    main()
