"""Whether runs with --portable have the same bits on other processors, and what that costs."""

from collections.abc import Iterator, Sequence
from statistics import median

from keras_repro.runs.classes import differing_kernels
from tools.machines.depends import cell
from tools.machines.runs import PROCESSORS, facts, only, processors, vary

HEAD = """
## Portable runs

With [`--portable`](guides/vary.md#portable-numbers), on emulated processors, against a portable
run on this machine: `=` where not a bit moves, else the largest relative difference and how many
arrays move. "time" is that of the script with it, over that without. What the portable settings
hold is not limited once more.
"""


def sections(
    backends: Sequence[str], workloads: Sequence[str], engine: str, emulated: bool
) -> Iterator[str]:
    """Yield the lines of this part of the page, making the runs that are missing."""
    yield HEAD
    yield f"| backend | workload | {' | '.join(PROCESSORS)} | limits of instruction sets | time |"
    yield "|---" * (len(PROCESSORS) + 4) + "|"
    costs: dict[str, list[float]] = {}
    apart: dict[str, list[str]] = {}
    for backend in backends:
        for workload in workloads:
            options = [*only(["isa*"]), *(processors() if emulated else [])]
            found = vary(workload, backend, engine, "--portable", *options)
            made = {one["name"]: one for one in found["variations"]}
            cells = [cell(made.get(f"processor={name}")) for name in PROCESSORS]
            limits = [one for name, one in made.items() if name.startswith("isa") and one["moved"]]
            cells.append(", ".join(f"`{one['name']}` {cell(one)}" for one in limits) or "=")
            plain = vary(workload, backend, engine, *only(["threads=2"]))["base"]
            base = facts(workload, backend, found["base"])
            cost = base.durations["script"] / facts(workload, backend, plain).durations["script"]
            costs.setdefault(backend, []).append(cost)
            for name in PROCESSORS:
                run = made.get(f"processor={name}", {}).get("run")
                kernels = run and differing_kernels(facts(workload, backend, run), base)
                if kernels:
                    apart[f"{backend} on {name}"] = kernels
            yield f"| {backend} | {workload} | {' | '.join(cells)} | {cost:.2f} |"
    medians = ", ".join(f"{name} {median(each):.2f}" for name, each in costs.items())
    yield f"\nThe median of what it costs: {medians}."
    yield "\nKernels of the [numeric class](reference/numeric-class.md) that are others there:\n"
    yield from (f"- {where}: {', '.join(names)}" for where, names in apart.items())
    if not apart:
        yield "- none"
