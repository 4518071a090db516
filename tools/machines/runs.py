"""The runs that the page is made of: which there are, where they lie, and how they are made."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_repro.runs.run import RunFacts, read_run
from keras_repro.workloads import __file__ as bundled

CONFIG = Path(bundled).with_name("keras-repro.toml")
PLACE = Path("artifacts/machines")
WORKLOADS = ("regression", "sine", "classifier", "convnet", "two_inputs", "gan", "custom_step")
EMULATED = ("regression", "sine", "custom_step")  # it takes ten times as long
PROCESSORS = ("Nehalem", "Haswell", "max")
GOOD = (0, 1, 4)  # exit codes: nothing moves too far, something does, a variation failed

Document = dict[str, Any]


def vary(workload: str, backend: str, engine: str, *options: str) -> Document:
    """Return what ``keras-repro vary`` says of a workload; what it ran before is not run again.

    Raises SystemExit where it cannot be varied; the command has said why.
    """
    command = [sys.executable, "-m", "keras_repro", "--config", str(CONFIG), "vary", workload]
    command += ["--backend", backend, "--engine", engine, "--format", "json", *options]
    command += ["--artifacts", str(PLACE), "--baselines", "baselines"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode not in GOOD or not done.stdout:
        raise SystemExit(done.returncode or 1)
    document: Document = json.loads(done.stdout)
    return document


def only(patterns: Sequence[str]) -> list[str]:
    """Return the options that ask for variations by their names."""
    return [word for pattern in patterns for word in ("--only", pattern)]


def processors() -> list[str]:
    """Return the options that ask for the emulated processors alone."""
    return ["--emulated", *only([f"processor={name}" for name in PROCESSORS])]


def facts(workload: str, backend: str, run: str) -> RunFacts:
    """Return the facts of a kept run, by the name of its folder."""
    return read_run(PLACE / workload / f"{backend}.runs" / run).facts
