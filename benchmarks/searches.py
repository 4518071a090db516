"""`make bench`: what bisect costs against trying every release, cold and cached, and with two jobs.

Over planted releases on the local engine, in a cache of its own: one of them changes a number.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keras_repro import backends
from keras_repro.engines.select import select
from keras_repro.project.workload import from_script
from keras_repro.recorder.contract import Conditions
from keras_repro.studies.bisect.releases import Environments
from keras_repro.studies.trial import try_in

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.planted_index import PlantedIndex  # noqa: E402

SCRIPT = """
import keras
import numpy
import planted
from keras_repro import record

for step in range(4):
    record.cost(numpy.float32(step * planted.VALUE))
"""


def search(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[float, int, int]:
    """Return the seconds of a search, how many releases it tried, and how many it had to train."""
    command = [sys.executable, "-m", "keras_repro", "bisect", "release", *arguments]
    command += ["--backend", "jax", "--package", "planted", "--engine", "local"]
    command += ["--requirements", "requirements.txt"]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    took = time.monotonic() - started
    found = re.search(r"^(\d+) of \d+ tried(?:, (\d+) of them known)?", done.stdout, re.M)
    if found is None:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    tried, known = int(found[1]), int(found[2] or 0)
    return took, tried, tried - known


def every_release(folder: Path, environment: dict[str, str], count: int) -> tuple[float, int, int]:
    """Return what trying them one after the other takes."""
    started = time.monotonic()
    command = [sys.executable, __file__, "--every"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return time.monotonic() - started, count, count


def try_every_release() -> None:
    """Do by hand what a search spares: one release after the other."""
    requirements = (Path("requirements.txt"),)
    conditions = Conditions(requirements=requirements)
    workload = replace(from_script("every.py"), conditions=conditions)
    environments = Environments(workload, backends.load()["jax"], "planted")
    with select("local")[0] as engine:
        for release in environments.releases:
            try_in(workload, environments.at(str(release.version)), engine)


def main() -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=16)
    parser.add_argument("--every", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    count = asked.releases
    if asked.every:
        try_every_release()
        return
    console = Console()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "project")
        folder.mkdir()
        planted = PlantedIndex(Path(place, "index"))
        for number in range(count):
            value = 1.0 if number < count * 2 // 3 else 2.0
            planted.release("planted", f"1.{number}", value)
        uv_cache = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
        environment = {**os.environ, **planted.variables, "UV_CACHE_DIR": uv_cache}
        (folder / "requirements.txt").write_text("planted\n")
        environment["XDG_CACHE_HOME"] = str(Path(place, "cache"))
        for name in ("warm.py", "my.py", "every.py"):
            (folder / name).write_text(f"# {name}\n{SCRIPT}")
        console.print("making the backend's own environment ...", style="dim")
        search(folder, environment, "warm.py", "--good", "1.0", "--bad", "1.1")
        span = ("--good", "1.0", "--bad", f"1.{count - 1}")
        measurements: dict[str, Callable[[], tuple[float, int, int]]] = {
            "bisect": lambda: search(folder, environment, "my.py", *span),
            "bisect, all of it cached": lambda: search(folder, environment, "my.py", *span),
            "bisect with two jobs": lambda: search(folder, environment, "my.py", *span, "--jobs=2"),
            "every release": lambda: every_release(folder, environment, count),
        }
        rows = []
        for label, measure in measurements.items():
            if "cached" not in label:  # each from nothing but the backend's own environment
                prune = [sys.executable, "-m", "keras_repro", "prune"]
                prune.append("--engine=local")
                subprocess.run(prune, env=environment, check=True, capture_output=True)
            console.print(f"{label} ...", style="dim")
            rows.append((label, *measure()))
    cold, cached, two, every = (took for _, took, _, _ in rows)
    table = Table("over planted releases", "releases tried", "trained", "s", "ratio to bisect")
    for label, took, tried, trained in rows:
        table.add_row(label, str(tried), str(trained), f"{took:.1f}", f"{took / cold:.2f}")
    console.print(table)
    console.print(
        f"every release / bisect {every / cold:.1f}, bisect / cached {cold / cached:.1f}, "
        f"one job / two {cold / two:.2f}"
    )


if __name__ == "__main__":
    main()
