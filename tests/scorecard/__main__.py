"""Plant a change for each link of the trail, on each backend, and count what is said of it.

    python -m tests.scorecard [--engine docker|local] [--backend NAME ...] [--markdown]

Exits with 1 where a plant was not found, not rightly named, or a link was named falsely.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro import backends
from tests.scorecard.plants import PLANTS, Plant

SCRIPT = Path(__file__).parent / "net.py"
REPEATS = 3  # of the training in which nothing is planted: none may be told from the first


@dataclass
class Score:
    """What was counted of one plant over the backends, or of nothing planted."""

    planted: int = 0
    found: int = 0
    named: int = 0
    wrong: list[str] = field(default_factory=list)


class Trainings:
    """Trainings of the script in a folder, each kept under the name of what was planted."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.folder = folder
        self.engine = engine
        shutil.copy(SCRIPT, folder / "net.py")

    def train(self, backend: str, planted: str, name: str, package: str = "") -> Path:
        """Return the run folder of a training; ``package`` is a pinned one beside its backend's."""
        (self.folder / "seed.txt").write_text("4" if planted == "seed" else "3")
        artifacts = self.folder / name.replace(" ", "-")
        options = ["--backend", backend, "--engine", self.engine, "--artifacts", artifacts]
        if package:
            (self.folder / "requirements.txt").write_text(package)
            options += ["--requirements", "requirements.txt"]
        done = self._run("train", "net.py", *options, "--", planted)
        if done.returncode:
            raise SystemExit(f"{backend}: {planted}: {done.stdout}{done.stderr}")
        return artifacts / "net" / backend

    def compare(self, expected: Path, obtained: Path) -> dict:
        """Return compare's document."""
        done = self._run("compare", expected, obtained, "--format", "json")
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)

    def _run(self, *words: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "keras_repro", *map(str, words)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)


def is_right(plant: Plant, link: dict, causes: list[dict]) -> bool:
    """Return whether a plant is rightly named."""
    changes = [f"{cause['fact']} {cause['before']} -> {cause['after']}" for cause in causes]
    text = " ".join([link["text"], *link["explanations"], *changes])
    if link["kind"] not in plant.kinds or not all(word in text for word in plant.says):
        return False
    if plant.steps is None:
        return True
    last = link["last_step"] if link["last_step"] is not None else link["step"]
    return link["step"] is not None and plant.steps.start <= last < plant.steps.stop


def main() -> int:
    """Train, compare, print the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="scorecard", description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--backend", action="append", choices=list(backends.load()))
    parser.add_argument("--markdown", action="store_true", help="the table as the docs have it")
    options = parser.parse_args()
    names = options.backend or list(backends.load())
    scores = {plant.name: Score() for plant in PLANTS}
    alarms = Score()
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(Path(folder), options.engine)
        for backend in names:
            expected = trainings.train(backend, "nothing", "nothing")
            for number in range(REPEATS):
                again = trainings.train(backend, "nothing", f"again-{number}")
                link = trainings.compare(expected, again).get("first_link")
                alarms.planted += 1
                if link is not None:
                    alarms.wrong.append(f"{backend}: nothing: {link['text']}")
            for plant in PLANTS:
                print(f"{backend}: {plant.what}", file=sys.stderr)
                before, after = plant.releases or ("", "")
                one = trainings.train(backend, plant.name, "before", before) if before else expected
                obtained = trainings.train(backend, plant.name, plant.name, after)
                count(scores[plant.name], plant, trainings.compare(one, obtained), backend)
    print(table(scores, alarms, len(names)) if options.markdown else plain(scores, alarms))
    wrong = [line for score in (*scores.values(), alarms) for line in score.wrong]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def count(score: Score, plant: Plant, document: dict, backend: str) -> None:
    """Count what was said of one plant on one backend."""
    score.planted += 1
    link = document.get("first_link")
    if link is None:
        score.wrong.append(f"{backend}: {plant.what}: not found")
        return
    score.found += 1
    if is_right(plant, link, document["causes"]):
        score.named += 1
    else:
        score.wrong.append(f"{backend}: {plant.what}: {link['kind']}: {link['text']}")


def plain(scores: dict[str, Score], alarms: Score) -> str:
    """Return the table for a terminal."""
    width = max(len(plant.what) for plant in PLANTS)
    lines = [f"{'planted':<{width}}  times  found  rightly named"]
    for plant in PLANTS:
        score = scores[plant.name]
        lines.append(
            f"{plant.what:<{width}}  {score.planted:>5}  {score.found:>5}  {score.named:>5}"
        )
    lines.append(f"nothing: {alarms.planted} trainings, {len(alarms.wrong)} false alarms")
    return "\n".join(lines)


def table(scores: dict[str, Score], alarms: Score, count_of_backends: int) -> str:
    """Return the table as Markdown."""
    lines = ["| planted | backends | found | rightly named |", "|---|---|---|---|"]
    for plant in PLANTS:
        score = scores[plant.name]
        lines.append(f"| {plant.what} | {score.planted} | {score.found} | {score.named} |")
    again = f"nothing, {alarms.planted // count_of_backends} times each"
    lines.append(f"| {again} | {count_of_backends} | {len(alarms.wrong)} false alarms | |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
