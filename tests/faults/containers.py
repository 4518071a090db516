"""Hostile scripts in containers: what lies outside stands as it was, and the next run is good."""

import json
import os
import random
import tempfile
from pathlib import Path

from keras_repro import backends
from keras_repro.errors import KerasReproError
from keras_repro.recorder import contract
from keras_repro.runs.run import read_run
from tests.containers.hostile_scripts import (
    BAD,
    IS_PIPE,
    SCRIPTS,
    canaries,
    left_over,
    make_project,
    state,
)
from tests.faults import docker_there, world
from tests.faults.starts import Call, Done
from tests.faults.trial import CODES, HANGS, Workshop
from tests.recorder.test_failures import GOOD
from tests.searched import STAND_IN
from tests.unit.made import make_run

SECONDS = 60  # beyond, a training hangs
OWNERS = (0, 4321) if os.getuid() == 0 else (os.getuid(),)  # only root can give a folder away
NOTES = "notes.md"
# So many scripts of each backend and owner train a net of Keras', which takes long to import; the
# others one of their own, beside a stand-in for Keras: what a script may reach is the same.
KERAS = 2
NUMPYS = """
import keras
import numpy as np
from keras_repro import record
x = np.arange(4, dtype="float32")
slope = np.float32(0)
for _ in range(3):
    error = slope * x - 2 * x
    slope -= np.float32(0.1) * (error * x).mean()
    record.cost((error**2).mean())
record.prediction(slope * x)
"""


def hows(rng: random.Random) -> list[tuple[str, str]]:
    """Return each backend with each script and each owner of the artifacts, in any order."""
    every = []
    for backend in backends.load():
        for owner in OWNERS:
            names = [*SCRIPTS, *BAD]
            rng.shuffle(names)
            every += [
                (backend, f"{name}@{owner}{'@keras' * (at < KERAS)}")
                for at, name in enumerate(names)
            ]
    rng.shuffle(every)
    return every


def hostile_script(workshop: Workshop, backend: str, how: str, real: bool) -> list[str]:
    """Train a hostile script over a good run, then an honest one; return what is wrong."""
    name, owner, *keras = how.split("@")
    place = Path(tempfile.mkdtemp(prefix="faults-"))  # where Docker finds it too
    try:
        project = make_project(place, int(owner))
        text = GOOD if keras else NUMPYS
        if not keras:
            instead = backends.load()[backend].keras_backend
            (project / "keras.py").write_text(STAND_IN.replace('"jax"', f'"{instead}"'))
        good = stand_in(project, backend, int(owner))
        before, stood = canaries(project), state(good)
        first = train(workshop, project, backend, _hostile_text(name, text), real, *_options(name))
        problems = [f"{name}: {problem}" for problem in _hostile(name, first, good, stood)]
        if canaries(project) != before:
            problems.append(f"{name} reached what lies outside")
        problems += honest(workshop, project, backend, int(owner), real, text)
        if canaries(project) != before:
            problems.append("after the next one, what lies outside is another")
        return problems
    finally:
        docker_there.remove_containers(place / "project")
        world.remove(place)


def stand_in(project: Path, backend: str, owner: int) -> Path:
    """Put a good run in the place of my.py's, with a person's notes; return its folder."""
    made = make_run(project / "artifacts" / "my" / backend)
    (made / NOTES).write_text("a person's\n")
    for path in (made.parent, made, *made.iterdir()):
        os.chown(path, owner, owner)
    return made


def train(
    workshop: Workshop, project: Path, backend: str, text: str, real: bool, *options: str, **more
) -> Done:
    (project / "my.py").write_text(text)
    words = ("train", "my.py", "--backend", backend, "--engine", "docker", *options)
    call = Call("keras_repro", words, project, {**docker_there.variables(), **more}, SECONDS)
    root = project.parent
    for name in ("tmp", "home", "cache"):
        (root / name).mkdir(exist_ok=True)
    return call.start(workshop.setting, root, None if real else workshop.server)


def honest(
    workshop: Workshop,
    project: Path,
    backend: str,
    owner: int,
    real: bool,
    text: str = GOOD,
    **more: str,
) -> list[str]:
    """Train an honest script of the same name; return what is wrong with it, and what is left."""
    done = train(workshop, project, backend, text, real, **more)
    if done.code != 0:
        return [f"the next one ends with {said(done)}"]
    problems = [f"after the next one, {one}" for one in left_over(project, backend, owner)]
    folder = project / "artifacts" / "my" / backend
    try:
        run = read_run(folder)
        run.check_arrays()
        if not run.facts.completed or "costs/train" not in run.facts.arrays:
            problems.append("the next run is none of the honest script's")
    except KerasReproError as error:
        problems.append(f"the next run cannot be read: {error}")
    if not (folder / NOTES).is_file():
        problems.append("a person's notes are gone")
    if folder.with_name(f"{backend}.failed").exists():
        problems.append("after the next one, left: the failed run")
    if left := docker_there.containers_of(project):
        problems.append(f"after the next one, left: {', '.join(left)}")
    return problems


def said(done: Done) -> str:
    lines = done.output.strip().splitlines()
    return f"exit {done.code}: {' | '.join(lines[-3:])[-400:] or 'nothing'}"


def ended(done: Done) -> list[str]:
    """Return what is wrong with how a command ended, whatever it was to do."""
    if "Traceback" in done.output:
        return [f"a traceback: {said(done)}"]
    if done.code in CODES:
        return []
    return ["it hangs" if done.code == HANGS else f"undocumented: {said(done)}"]


def _hostile_text(name: str, text: str) -> str:
    return text + SCRIPTS[name] if name in SCRIPTS else IS_PIPE + text + BAD[name][0]


def _options(name: str) -> tuple[str, ...]:
    return ("--processes-limit", "40") if name == "processes" else ()


def _hostile(name: str, done: Done, good: Path, stood: dict[str, str]) -> list[str]:
    """Return what is wrong with how a hostile script ended."""
    problems = ended(done)
    if name in BAD:
        if done.code != contract.EXIT_FAILED:
            problems.append(f"a bad run, and {said(done)}")
        elif BAD[name][1] not in (reason := _reason(good)):
            problems.append(f"a bad run, and the reason is: {reason}")
        if state(good) != stood:
            problems.append("it replaced a good run")
    elif done.code not in (0, contract.EXIT_FAILED) or (name == "up" and done.code != 0):
        problems.append(said(done))
    return problems


def _reason(good: Path) -> str:
    failed = good.with_name(f"{good.name}.failed") / contract.FACTS
    return str(json.loads(failed.read_text())["reason"])
