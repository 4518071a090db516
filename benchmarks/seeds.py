"""`make bench`: many seeds of a script, in forks, against as many `docker compose run`.

Scripts are the regression, and one that JAX compiles for long: forks share what it has compiled.
Of the runs of their own some are timed, one after the other, and their median is taken for each.
Memory is that of the containers together, looked at while they work: the most in the first third of
the time after the first runs, and in the last.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import docker
from docker.errors import DockerException
from rich.console import Console
from rich.table import Table

from benchmarks.containers import seconds
from keras_repro import backends
from keras_repro.engines.left_containers import LABEL

ROOT = Path(__file__).resolve().parents[1]
REGRESSION = ROOT / "src/keras_repro/workloads/regression.py"
COMPILES = ROOT / "benchmarks/compiles.py"
# Of the time of as many runs of their own.
MOST = {REGRESSION: 1 / 5, COMPILES: 1 / 10}
COMPILING = ("jax",)  # elsewhere nothing is compiled, or what is compiled is kept


class Memory:
    """What the containers of keras-repro use, in MB, at times: [(seconds, MB)]."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        client, started = docker.from_env(), time.monotonic()
        while not self._ended.wait(0.5):
            # A container that goes away answers nothing, or no document.
            with suppress(DockerException, KeyError, ValueError):
                there = client.containers.list(filters={"label": LABEL})
                used = [one.stats(stream=False)["memory_stats"]["usage"] for one in there]
                self.seen.append((time.monotonic() - started, sum(used) / 1e6))

    def most(self, first: float, last: float) -> float:
        """Return the most between two parts of the time; 0 where nobody looked then."""
        end = max([at for at, _ in self.seen] or [0.0])
        return max([mb for at, mb in self.seen if first * end <= at <= last * end] or [0.0])


def alone(backend: str, script: Path, rounds: int) -> float:
    """Return the median of some runs with ``docker compose run``, but for the first."""
    work = {"KERAS_REPRO_WORK": str(script.parent)}
    _, *times = (seconds(backend, script.name, **work) for _ in range(rounds + 1))
    return statistics.median(times)


def ensemble(backend: str, script: Path, seeds: int) -> tuple[float, Memory, str]:
    """Return how long an ensemble takes, verification included, its memory, and what it says.

    Without --vary-own-seeds every run of the regression is the same on Theano.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / script.name).write_bytes(script.read_bytes())
        place.chmod(0o755)
        command = [sys.executable, "-m", "keras_repro", "ensemble", script.name]
        command += ["--backend", backend]
        command += ["--seeds", str(seeds), "--engine", "docker", "--vary-own-seeds"]
        started = time.monotonic()
        with Memory() as memory:
            done = subprocess.run(
                command, cwd=place, check=True, capture_output=True, text=True, env=os.environ
            )
        return time.monotonic() - started, memory, done.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", action="append", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5, help="runs of their own that are timed")
    asked = parser.parse_args()
    table = Table(
        *("backend", "script", "one run, s", "seeds", "s", "of as many runs", "limit"),
        *("MB, at first", "at last"),
    )
    asked_for = asked.backend or list(backends.load())
    rows = [(backend, REGRESSION) for backend in asked_for]
    rows += [(backend, COMPILES) for backend in COMPILING if backend in asked_for]
    for backend, script in rows:
        one = alone(backend, script, asked.rounds)
        took, memory, said = ensemble(backend, script, asked.seeds)
        how = "" if "were run in processes forked" in said else " (all alone)"
        table.add_row(
            f"{backend}{how}",
            script.name,
            f"{one:.2f}",
            str(asked.seeds),
            f"{took:.1f}",
            f"1/{one * asked.seeds / took:.1f}",
            f"1/{1 / MOST[script]:.0f}",
            f"{memory.most(0.3, 0.6):.0f}",
            f"{memory.most(0.7, 1.0):.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
