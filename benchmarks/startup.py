"""How much CPU time the command line takes to start, and to check the regression.

The time is that of the process and its threads, user and system, the least of several; each
command has run once before, so that its bytecode is there. The runs are the baselines themselves.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keras_repro.recorder import contract

ROOT = Path(__file__).parents[1]
MOST_HELP = 4.0  # times importing click
MOST_CHECK = 0.6  # seconds
KERAS_REPRO = ("-m", "keras_repro")


def make_runs(artifacts: Path) -> Path:
    """Write a run for each baseline of the regression, with its arrays and facts."""
    for baseline in (ROOT / "baselines" / "regression").iterdir():
        folder = artifacts / "regression" / baseline.name
        folder.mkdir(parents=True)
        shutil.copyfile(baseline / contract.ARRAYS, folder / contract.ARRAYS)
        facts = json.loads((baseline / "baseline.json").read_text())
        facts |= {"outcome": contract.COMPLETED, "started": "", "durations": {}}
        (folder / contract.FACTS).write_text(json.dumps(facts))
    return artifacts


def cpu_seconds(arguments: tuple[object, ...], cache: Path, rounds: int) -> float:
    """Return the least CPU seconds of a Python with these arguments."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *map(str, arguments)]
    times = []
    for _ in range(rounds + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of which the least counts")
    rounds = parser.parse_args().rounds
    console = Console()
    table = Table("what", "CPU s", "against", "CPU s", "ratio", "limit", box=None)
    with tempfile.TemporaryDirectory() as folder, console.status("…"):
        cache = Path(folder) / "bytecode"
        runs = make_runs(Path(folder) / "artifacts")
        click = cpu_seconds(("-c", "import click"), cache, rounds)
        shown = cpu_seconds((*KERAS_REPRO, "--help"), cache, rounds)
        checked = cpu_seconds((*KERAS_REPRO, "check", "--artifacts", runs), cache, rounds)
    for what, mine, against, theirs, limit in (
        ("keras-repro --help", shown, "import click", click, MOST_HELP),
        ("keras-repro check", checked, "its limit", MOST_CHECK, 1.0),
    ):
        ratio = f"{mine / theirs:.2f}"
        table.add_row(what, f"{mine:.3f}", against, f"{theirs:.3f}", ratio, f"{limit:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
