"""`make bench`: what images weigh, and what a cold compile and sequence cost.

Each ratio of times comes from one run on one machine, since machines are noisy; --rounds N repeats
each measurement and takes the medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keras_repro import backends
from keras_repro.engines.images import image_name

# What an image may weigh above the Python image that it is made from, in MB (10^6 bytes).
LIMITS = {"theano": 450, "tensorflow1": 690, "tensorflow": 1300, "jax": 740, "torch": 880}
# The Dockerfile's first instruction on that image.
FIRST_OF_OURS = "ARG APT_PACKAGES"

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = "/opt/keras-repro/keras_repro/workloads/regression.py"


def compose(*arguments: str, **variables: str) -> str:
    """Run ``docker compose run`` and return what it printed."""
    with tempfile.TemporaryDirectory() as artifacts:
        environment = {**os.environ, "KERAS_REPRO_ARTIFACTS": artifacts, **variables}
        done = subprocess.run(
            ["docker", "compose", "--project-directory", ROOT, "run", "--rm", "-T", *arguments],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    return done.stdout


def seconds(*arguments: str, **variables: str) -> float:
    """Return how long ``docker compose run`` takes."""
    started = time.monotonic()
    compose(*arguments, **variables)
    return time.monotonic() - started


def median_seconds(rounds: int, *arguments: str) -> float:
    """Return the median over some rounds."""
    return statistics.median(seconds(*arguments) for _ in range(rounds))


def megabytes_above_base(image: str) -> float:
    """Return what an image's own layers weigh, in MB.

    Raises:
        ValueError: the image's history shows no instruction of the Dockerfile.
    """
    history = subprocess.run(
        ["docker", "history", "--human=false", "--no-trunc", "--format", "{{json .}}", image],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    total = 0
    for line in history.splitlines():  # the newest layer comes first
        layer = json.loads(line)
        total += int(layer["Size"])
        if FIRST_OF_OURS in layer["CreatedBy"]:
            return total / 1e6
    raise ValueError(f"{image}: its history does not show {FIRST_OF_OURS!r}; build it anew")


def side_by_side() -> tuple[float, float]:
    """Return the seconds of all backends one after the other, and of one train of them all."""

    def train(*options: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "keras_repro", "train", "--engine", "docker"]
            started = time.monotonic()
            subprocess.run(
                [*command, "--artifacts", folder, *options], check=True, stdout=subprocess.DEVNULL
            )
        return time.monotonic() - started

    sequence = sum(train("--backend", name) for name in backends.load())
    return sequence, train()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    console = Console()
    sizes = Table("image", "MB above its base", "limit", "ratio", box=None)
    for name, backend in backends.load().items():
        size, limit = megabytes_above_base(image_name(backend)), LIMITS[name]
        sizes.add_row(name, f"{size:.0f}", f"{limit}", f"{size / limit:.2f}")
    console.print(sizes)
    table = Table("what", "against", "seconds", "seconds", "ratio", box=None)

    def row(what: str, against: str, mine: float, theirs: float) -> None:
        table.add_row(what, against, f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs:.2f}")

    with console.status("measuring"):
        ours = median_seconds(rounds, "theano")
        bare = median_seconds(rounds, "-e", "MPLBACKEND=Agg", "theano", "python", SCRIPT)
        row("docker compose run theano", "the bare script, same image", ours, bare)
        cold_flags = "THEANO_FLAGS=compiledir=/tmp/cold"
        cold = seconds("-e", cold_flags, "theano")
        row("theano, cold compile", "warm compile", cold, ours)
        row("all backends in sequence", "side by side", *side_by_side())
    console.print(table)


if __name__ == "__main__":
    main()
