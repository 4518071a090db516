"""uv or the harness killed in mid-install: the next command makes the environment whole."""

import hashlib
import random
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from uv import find_uv_bin

import keras_repro
from keras_repro.errors import ExitCode
from tests.faults import world
from tests.faults.containers import ended, said
from tests.faults.program import OWN
from tests.faults.starts import Call, Done
from tests.faults.trial import KILLED, Workshop
from tests.planted_index import PlantedIndex
from tests.searched import STAND_IN

FIRST, CHANGED = "install", "install-other"  # an environment, and one by links of another
CALLS = {FIRST: 2, CHANGED: 2}  # of uv
WHO = ("uv", "harness", "both")
LONGEST = {1: 0.08, 2: 0.25}  # seconds that a call of uv takes, about
TRIES = 4
SECONDS = 30
SCRIPT = """
import keras, numpy, planted
from keras_repro import record
record.prediction(numpy.full(3, planted.VALUE))
"""
TRAIN = ("train", "my.py", "--engine", "local", "--backend", "jax")
MANY = 150  # files, so that there is a middle to be killed in
# What is another in each environment, or comes with the first run in it.
LEFT_OUT = frozenset(("__pycache__", "bytes.txt", "recorder", "caches", "keras-home"))
OF_A_MOMENT = ("uv_cache.json", "RECORD")  # which has the former's hash
NUMPY = Path(np.__file__).parents[1]


def begin(root: Path) -> None:
    """A project, and a backend that installs in no time: NumPy and Keras come from here."""
    world.bare(root)
    package = root / OWN.parent
    for path in Path(keras_repro.__file__).parent.iterdir():
        if path.name not in ("backends", "__pycache__"):
            (package / path.name).symlink_to(path)
    (root / "project" / "keras.py").write_text(STAND_IN)
    (root / "project" / "my.py").write_text(SCRIPT)
    index = PlantedIndex(root / "index")
    many = {f"planted_files/m{at}.py": f"VALUE = {at}\n" * 20 for at in range(MANY)}
    digests = [index.release("planted", v, float(v), more=many) for v in ("1.0", "1.1")]
    tail = index.release("tail", "1.0", 0.0, more={"numpy_from_here.pth": f"{NUMPY}\n"})
    backend = root / OWN / "jax"
    python = f'python = "{sys.version_info.major}.{sys.version_info.minor}"'
    (backend / "backend.toml").write_text(world.BACKEND.replace('python = "3.11"', python))
    (backend / "requirements.txt").write_text(_lock("1.0", digests[0], tail))
    (root / "other.txt").write_text(_lock("1.1", digests[1], tail))


def begin_other(root: Path) -> None:
    """The same, and a project with another lock than the backend's."""
    begin(root)
    (root / "project" / "locks").mkdir()
    shutil.copyfile(root / "other.txt", root / "project" / "locks" / "jax.txt")


BEGIN = {FIRST: begin, CHANGED: begin_other}


def _lock(version: str, planted: str, tail: str) -> str:
    lines = (f"planted=={version}", planted), ("tail==1.0", tail)
    return "".join(f"{what} \\\n    --hash=sha256:{digest}\n" for what, digest in lines)


def killed(workshop: Workshop, about: str, seed: str, real: bool) -> tuple[str, list[str]]:
    """Kill uv or the harness while it installs; return when, "-" for never, and what is wrong."""
    rng = random.Random(f"{about} {seed}")
    whole = _whole(workshop, about)
    if isinstance(whole, str):
        return "", [f"undisturbed: {whole}"]
    scale = 1.0
    for _ in range(TRIES):
        call, who = rng.randint(1, CALLS[about]), rng.choice(WHO)
        after = rng.random() * LONGEST[call] * scale
        _make(workshop, about)
        workshop.side.unlink(missing_ok=True)
        calls = workshop.side.with_name("side.calls")
        calls.unlink(missing_ok=True)
        uv = {
            "FAULTS_UV": find_uv_bin(),
            "FAULTS_UV_SIDE": str(workshop.side),
            "FAULTS_UV_CALL": str(call),
            "FAULTS_UV_WHO": who,
            "FAULTS_UV_AFTER": f"{after:.3f}",
        }
        done = _train(workshop, real, uv)
        if _fired(workshop, done):
            problems = _ended(done, who) + _after(workshop, whole)
            when = f"{who} killed {after:.3f} s after uv's call {call}"
            return when, [f"{problem} [{said(done)}]" for problem in problems]
        scale /= 2  # it was over by then
    return "-", []


def _fired(workshop: Workshop, done: Done) -> bool:
    """Return whether something was killed: the killer says so a moment after."""
    until = time.monotonic() + (1 if done.code == KILLED else 0.1)
    while not workshop.side.exists() and time.monotonic() < until:
        time.sleep(0.01)
    return workshop.side.exists()


def _make(workshop: Workshop, about: str) -> None:
    """Make the root anew; where another lock is what is installed, the first one's stands."""
    world.fresh(workshop.root, BEGIN[about], workshop.templates)
    if about == CHANGED:
        kept = workshop.templates / "environments"
        if not kept.exists():
            locks = workshop.root / "project" / "locks"
            locks.rename(locks.with_name("away"))
            _train(workshop, False, {})
            locks.with_name("away").rename(locks)
            shutil.rmtree(workshop.root / "project" / "artifacts")
            shutil.copytree(workshop.root / "cache", kept, symlinks=True)
        shutil.rmtree(workshop.root / "cache")
        shutil.copytree(kept, workshop.root / "cache", symlinks=True)


def _train(workshop: Workshop, real: bool, more: dict[str, str]) -> Done:
    root = workshop.root
    index = {
        "UV_DEFAULT_INDEX": PlantedIndex(root / "index").url,
        "UV_CACHE_DIR": str(root / "uv-cache"),  # what is killed half through may stand in it
    }
    call = Call("tests.faults.local_program", TRAIN, root / "project", {**index, **more}, SECONDS)
    return call.start(workshop.setting, root, None if real else workshop.server)


def _whole(workshop: Workshop, about: str) -> dict[str, str] | str:
    """Return the environments as an undisturbed command makes them, or what is wrong."""
    known = workshop.__dict__.setdefault("whole", {})
    if about not in known:
        _make(workshop, about)
        done = _train(workshop, False, {})
        if done.code != 0:
            return said(done)
        known[about] = _environments(workshop.root)
    return known[about]


def _environments(root: Path) -> dict[str, str]:
    """Return each file of the environments, with its hash."""
    place, found = root / "cache" / "keras-repro" / "environments", {}
    for path in place.rglob("*"):
        parts = path.relative_to(place).parts
        if LEFT_OUT.isdisjoint(parts) and not path.is_dir() and path.suffix != ".lock":
            has_its_own = path.is_file() and path.name not in OF_A_MOMENT
            content = path.read_bytes() if has_its_own else b""
            found["/".join(parts)] = hashlib.sha256(content).hexdigest()
    return found


def _ended(done: Done, who: str) -> list[str]:
    if who != "uv":
        return [] if done.code in (KILLED, ExitCode.OK) else ended(done)
    problems = ended(done)
    if done.code not in (ExitCode.OK, ExitCode.UNAVAILABLE):
        problems.append(f"uv was killed, and the exit code is {done.code}")
    return problems


def _after(workshop: Workshop, whole: dict[str, str]) -> list[str]:
    again = _train(workshop, False, {})
    if again.code != 0:
        return [f"the next one ends with {said(again)}"]
    now = _environments(workshop.root)
    names = sorted(name for name in {*whole, *now} if whole.get(name) != now.get(name))
    problems = [f"the next one's environment is another: {', '.join(names[:3])}"] if names else []
    if not (workshop.root / "project" / "artifacts" / "my" / "jax" / "run.json").is_file():
        problems.append("the next one leaves no run")
    return problems
