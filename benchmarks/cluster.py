"""What a Dask cluster costs and saves: seeds of the regression by one and by two of its workers.

Against the same seeds one after the other without it, on the same engine. The start of the command
is left out: what the same command takes where every seed is known.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
BACKEND = "jax"
WAYS = (("one after the other", "auto"), ("one worker", "dask=1"), ("two workers", "dask=2"))
FAR = (10_000, 100)  # seeds and workers, of which is said what they would take


def seconds(engine: str, seeds: int) -> float:
    """Return the seconds that so many seeds take, without the start of the command."""
    with tempfile.TemporaryDirectory() as artifacts:
        command = [sys.executable, "-m", "keras_repro", "ensemble", "regression"]
        command += ["--backend", BACKEND, "--engine", engine, "--artifacts", artifacts]
        command += ["--jobs", "2" if engine == "dask=2" else "1"]
        command += ["--hermetic"]  # so that none is made in a fork
        took = []
        for count in (2, 2 + seeds, 2 + seeds):  # the first runs prepare something
            began = time.monotonic()
            words = [*command, "--seeds", str(count)]
            subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            took.append(time.monotonic() - began)
    return took[1] - took[2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = parser.parse_args().seeds
    console = Console()
    table = Table("how", "s", "s a seed", "ratio", box=None)
    each = {}
    with console.status("…"):
        for what, engine in WAYS:
            each[engine] = seconds(engine, seeds) / seeds
            ratio = f"{each[engine] / each['auto']:.2f}"
            took = f"{each[engine] * seeds:.1f}"
            table.add_row(what, took, f"{each[engine]:.2f}", ratio)
    console.print(table)
    overhead = each["dask=1"] - each["auto"]
    count, workers = FAR
    hours = count * each["dask=1"] / workers / 3600
    console.print(f"a run costs {overhead:+.2f} s more on a worker;")
    console.print(f"{count:,} seeds on {workers} such workers would take {hours:.1f} h")


if __name__ == "__main__":
    main()
