"""Docker that goes away in mid-build and mid-training; then it is there again.

Between the commands and the engine lies a proxy, which is cut: the engine is other people's too.
"""

import hashlib
import random
import re
import tempfile
from pathlib import Path

from keras_repro import backends
from keras_repro.engines import images
from keras_repro.errors import ExitCode, KerasReproError
from keras_repro.packages import project_locks
from keras_repro.runs.run import read_run
from tests.containers.hostile_scripts import make_project
from tests.faults import docker_there, world
from tests.faults.containers import NOTES, OWNERS, ended, honest, said, stand_in, train
from tests.faults.proxy import Proxy
from tests.faults.starts import Done
from tests.faults.trial import Workshop
from tests.planted_index import PlantedIndex
from tests.recorder.test_failures import GOOD

BACKEND = "jax"  # with other packages, Theano would compile anew
SLOW = GOOD + "import time\ntime.sleep(1.5)\n"
TRIES = 4
# What the first request of each is, and how many bytes and seconds it takes about.
TRAINING, BUILD = "training", "build"
MARKS = {TRAINING: rb"POST \S*/containers/create", BUILD: rb"POST \S*/(build|grpc|session)"}
BYTES = {TRAINING: 12_000, BUILD: 60_000}
MOMENTS = {TRAINING: 3.0, BUILD: 2.0}


def docker_cut(workshop: Workshop, about: str, seed: str, real: bool) -> tuple[str, list[str]]:
    """Cut Docker off while it builds or trains; return when, "-" for never, and what is wrong."""
    rng = random.Random(f"{about} {seed}")
    scale = 1.0
    for _ in range(TRIES):
        when = rng.choice((rng.randrange(BYTES[about]), rng.random() * MOMENTS[about]))
        when = type(when)(when * scale)
        fired, problems = _cut(workshop, about, when, real)
        if fired:
            unit = "bytes" if isinstance(when, int) else "s"
            return f"{when:.6g} {unit} after it began", problems
        scale /= 2  # it was over by then
    return "-", []


def _cut(workshop: Workshop, about: str, when: int | float, real: bool) -> tuple[bool, list[str]]:
    place = Path(tempfile.mkdtemp(prefix="faults-"))
    engine = docker_there.socket_path()
    assert engine is not None
    image = ""
    try:
        project = make_project(place, OWNERS[0])
        more = {}
        if about == BUILD:
            image, more = _with_lock(project)
        stand_in(project, BACKEND, OWNERS[0])
        with Proxy(place / "docker.sock", engine, MARKS[about], when) as proxy:
            host = {"DOCKER_HOST": proxy.host}
            first = train(workshop, project, BACKEND, SLOW, real, **more, **host)
        if not proxy.fired:
            return False, []
        problems = _ended(first) + _stands(project / "artifacts" / "my" / BACKEND)
        problems += honest(workshop, project, BACKEND, OWNERS[0], real, **more)
        return True, [f"{problem} [{said(first)}]" for problem in problems]
    finally:
        docker_there.remove_containers(place / "project")
        if image:
            docker_there.remove_image(image)
        world.remove(place)


def _with_lock(project: Path) -> tuple[str, dict[str, str]]:
    """Give the project a lock with one more package; return its image's name, which none has."""
    index = PlantedIndex(project.parent / "index")
    version = f"1.{random.getrandbits(32)}"
    index.release("planted", version, 1.0)
    [wheel] = (index.folder / "files").iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    known = backends.load()[BACKEND]
    entry = f"planted=={version} \\\n    --hash=sha256:{digest}\n"
    path = project / "locks" / f"{BACKEND}.txt"
    path.parent.mkdir()
    path.write_text(f"{project_locks.ADDED}planted\n{known.lock.rstrip()}\n{entry}")
    image = images.image_name(project_locks.of_project(known, path.parent))
    return image, index.variables


def _ended(done: Done) -> list[str]:
    """Return what is wrong with how the command ended that Docker went away from."""
    problems = ended(done)
    if done.code not in (ExitCode.OK, ExitCode.UNAVAILABLE):
        problems.append(f"exit code {done.code}")
    lines = [line for line in done.output.splitlines() if re.search("keras-repro: |failed", line)]
    if done.code != 0 and not lines:
        problems.append("it does not say why")
    return problems


def _stands(folder: Path) -> list[str]:
    """Return what is wrong with the run that stands: the good one of before, or another."""
    try:
        run = read_run(folder)
        run.check_arrays()
    except KerasReproError as error:
        return [f"what stands cannot be read: {error}"]
    problems = [] if run.facts.completed else ["a run that failed stands over a good one"]
    return problems if (folder / NOTES).is_file() else [*problems, "a person's notes are gone"]
