"""`make bench`: what recording costs in time and memory, against the bare script.

Every bundled workload on every backend, some of the scripts that people write (all of them with
--all), and a script that only makes a model, for the part of the start that is the same for all.
Bare and recorded run by turns in one container, once each.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keras_repro import backends
from tests.recorder.test_people_counted import ARGUMENTS, FOLDER, SCRIPTS

ROOT = Path(__file__).resolve().parents[1]
WORKLOADS = ROOT / "src/keras_repro/workloads"
INSIDE = ROOT / "benchmarks/inside.py"
ONLY_START = """
from keras.layers import Dense
from keras.models import Sequential

Sequential([Dense(1, input_shape=(1,))])
"""
INSIDE_OUT = "/tmp/run"  # noqa: S108 - in the container, which is alone there
SOME = 6  # of the scripts of people on a backend
STARTS = 3  # of the latter
# What the trail may take of the time, at the median over all; the recorder's start, in seconds; and
# the peak of memory above the bare script's, as a part of that or in MB, whichever is more.
MOST_OF_TRAIL, MOST_OF_START = 0.05, 0.5
MORE_MEMORY, MEGABYTES = 0.1, 50.0


@dataclass(frozen=True)
class Measured:
    """A script on a backend: seconds and peak MB, bare and recorded; seconds of the trail."""

    script: str
    bare: tuple[float, float]
    recorded: tuple[float, float]
    trail: float

    @property
    def more_seconds(self) -> float:
        """Return what recording adds, in seconds; less than 0 where it takes away."""
        return self.recorded[0] - self.bare[0]

    @property
    def of_memory(self) -> float:
        """Return the peak against what it may be."""
        bare = self.bare[1]
        return self.recorded[1] / max(bare * (1 + MORE_MEMORY), bare + MEGABYTES)


def of_people(backend: str, every: bool) -> list[str]:
    """Return the names of scripts of people that a backend can run, with no arguments."""
    able = [
        n for n, (accepting, _) in SCRIPTS.items() if backend in accepting and n not in ARGUMENTS
    ]
    return able if every else able[:: len(able) // SOME][:SOME]


def measure(backend: str, every: bool) -> list[Measured]:
    """Return what was measured in one container of a backend.

    Raises:
        subprocess.CalledProcessError: a script failed there, or there is no such container.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.chmod(0o755)
        shutil.copytree(FOLDER, work, dirs_exist_ok=True)
        (work / "artifacts").mkdir()
        names = [f"{name}.py" for name in of_people(backend, every)]
        shutil.copytree(WORKLOADS, work / "workloads", ignore=shutil.ignore_patterns("_*"))
        names += sorted(f"workloads/{path.name}" for path in (work / "workloads").glob("*.py"))
        for number in range(STARTS):
            names.append(f"start-{number}.py")
            (work / names[-1]).write_text(ONLY_START)
        (work / INSIDE.name).write_text(INSIDE.read_text())
        places = {"KERAS_REPRO_WORK": folder, "KERAS_REPRO_ARTIFACTS": f"{folder}/artifacts"}
        command = ["docker", "compose", "--project-directory", ROOT, "run", "--rm", "-T", backend]
        done = subprocess.run(
            [*command, "python", INSIDE.name, INSIDE_OUT, *names],
            env={**os.environ, **places},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return [Measured(name, tuple(bare), tuple(rec), trail) for name, bare, rec, trail in lines]


def show(console: Console, found: dict[str, list[Measured]]) -> None:
    """Print a row a script, and how the whole is against its limits."""
    table = Table(
        "backend", "script", "bare s", "recorded", "ratio", "trail", "bare MB", "recorded"
    )
    table.box = None
    for backend, each in found.items():
        for m in each:
            table.add_row(
                *(backend, m.script, f"{m.bare[0]:.2f}", f"{m.recorded[0]:.2f}"),
                f"{m.recorded[0] / m.bare[0]:.2f}",
                f"{m.trail / m.recorded[0]:.1%}",
                *(f"{m.bare[1]:.0f}", f"{m.recorded[1]:.0f}"),
            )
    console.print(table)
    every = [m for each in found.values() for m in each]
    trained = [m for m in every if not m.script.startswith("start-")]
    median = statistics.median
    limits = Table("over all", "value", "limit", "ratio", box=None)

    def row(what: str, value: float, limit: float, form: str) -> None:
        limits.add_row(what, form.format(value), form.format(limit), f"{value / limit:.2f}")

    row("time, median", median(m.recorded[0] / m.bare[0] for m in trained), 1.29, "{:.2f}")
    row(
        "trail of the time, median",
        median(m.trail / m.recorded[0] for m in trained),
        MOST_OF_TRAIL,
        "{:.1%}",
    )
    for backend, each in found.items():
        start = median(m.more_seconds for m in each if m.script.startswith("start-"))
        row(f"start on {backend}, seconds more", start, MOST_OF_START, "{:.2f}")
    row("memory, largest against its limit", max(m.of_memory for m in every), 1.0, "{:.2f}")
    console.print(limits)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", action="append", choices=list(backends.load()))
    parser.add_argument("--all", action="store_true", help="all scripts of people, not some")
    options = parser.parse_args()
    names = options.backend or list(backends.load())
    console = Console()
    found = {}
    for name in names:
        with console.status(f"measuring recording on {name}"):
            found[name] = measure(name, options.all)
    show(console, found)


if __name__ == "__main__":
    main()
