"""The folders that trials begin from, each below a root of its own.

own/       keras-repro's own repository, as far as its backends go
project/   a user's
cache/     of the user
tmp/       for temporary files
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_repro.engines.cluster.bundle import pack
from keras_repro.recorder import contract
from keras_repro.recorder.arrays import Limits
from keras_repro.recorder.facts import file_sha256
from tests.faults.engine import computed
from tests.faults.program import OWN
from tests.planted_index import PlantedIndex
from tests.unit.made import ARRAYS, change_facts, changed, ensemble, make_run, spread_out
from tests.unit.trails import links, with_change

BACKEND = """\
title = "planted 1.0 on nothing"
python = "3.11"
keras_backend = "jax"
platform = "linux/amd64"
accelerator = "cpu"
"""
SCRIPT = "import keras\nimport planted\n"
WEIGHTS = "weights/0.dense.kernel"
# What is larger is kept as digest, figures and a sample.
LARGE, LIMITS = "predictions/2", Limits(100_000, 1 << 40)
FEW = {name: ARRAYS[name] for name in ("costs/train", WEIGHTS)}
RUN = Path("project/artifacts/regression/jax")
BASELINE = Path("project/baselines/regression/jax")


def plant(index: Path) -> None:
    """Make the package index that resolving asks."""
    planted = PlantedIndex(index)
    for version in ("1.0", "1.1", "1.2", "2.0"):
        planted.release("planted", version, float(version), requires=("tail",))
    for version in ("1.0", "1.1"):
        planted.release("tail", version, 0.0)


def bare(root: Path) -> None:
    """A project with nothing in it, and a backend with its lock."""
    for name in ("project", "cache", "tmp", "home"):
        (root / name).mkdir(parents=True)
    backend = root / OWN / "jax"
    backend.mkdir(parents=True)
    (root / "own" / "docker-compose.yml").touch()
    (backend / "backend.toml").write_text(BACKEND)
    (backend / "keras.json").write_text('{"backend": "jax"}')
    (backend / "requirements.in").write_text("planted==1.0\n")
    lock = "".join(
        f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n" for name in ("planted", "tail")
    )
    (backend / "requirements.txt").write_text(lock)
    (root / "project" / "my.py").write_text(SCRIPT)
    (root / "own" / "work").mkdir()
    (root / "own" / "work" / "my.py").write_text(SCRIPT)


def with_run(root: Path) -> None:
    """A run of the regression, and no baseline."""
    bare(root)
    make_run(root / RUN, trail=links())


def with_class(root: Path) -> None:
    """A plain baseline, one of a numeric class, and another run of that class."""
    with_baseline(root)
    found = {"version": 1, "digest": "1" * 64, "kernels": {"matmul": "1" * 16}}
    of_class = root / BASELINE.with_name("jax@" + "1" * 12)
    shutil.copytree(root / BASELINE, of_class)
    change_facts(root / RUN, numeric_class=found)


def with_baseline(root: Path) -> None:
    """A baseline with a person's notes beside it, and a run whose numbers differ a little."""
    bare(root)
    _accepted(root, ARRAYS)
    arrays = changed(WEIGHTS, 2)
    arrays = {**arrays, "predictions/1": np.zeros(20000, np.float32), LARGE: np.ones(40000)}
    make_run(root / RUN, arrays, trail=with_change(links(), 6), limits=LIMITS)
    path = root / BASELINE / "baseline.json"
    facts = json.loads(path.read_text())
    facts["tolerances"] = {"predictions/1": {"rtol": 1.0, "atol": 1.0}}
    path.write_text(json.dumps(facts))


def with_ensembles(root: Path) -> None:
    """Two ensembles, whose numbers are alike."""
    bare(root)
    for name in ("a", "b"):
        document = ensemble(costs__test=spread_out(30))
        (root / "project" / f"{name}.json").write_text(json.dumps(document))


def _accepted(root: Path, arrays: dict[str, np.ndarray]) -> None:
    first = make_run(root / RUN, arrays, trail=links(), limits=LIMITS)
    baseline = root / BASELINE
    baseline.mkdir(parents=True)
    for name in (contract.ARRAYS, contract.SAMPLES, contract.TRAIL):
        if (first / name).exists():
            shutil.copyfile(first / name, baseline / name)
    facts = json.loads((first / contract.FACTS).read_text())
    entry = {"accepted": facts["started"], "reason": "first"}
    facts["trail_sha256"] = file_sha256(str(first / contract.TRAIL))
    facts |= {**entry, "workload": "regression", "tolerances": {}, "history": [entry]}
    (baseline / "baseline.json").write_text(json.dumps(facts))
    (baseline / "notes.md").write_text("a person's\n")
    (baseline / "plots").mkdir()
    (baseline / "plots" / "one.txt").write_text("a person's too\n")


def with_computed_baseline(root: Path) -> None:
    """A baseline that is what the engine computes."""
    bare(root)
    _accepted(root, computed())


def with_few_arrays(root: Path) -> None:
    """A baseline and a run that differ a little, and of which a report is soon drawn."""
    bare(root)
    large = {LARGE: np.ones(40000)}
    _accepted(root, {**FEW, **large})
    arrays = {**FEW, WEIGHTS: changed(WEIGHTS, 2)[WEIGHTS], **large}
    make_run(root / RUN, arrays, trail=with_change(links(), 6), limits=LIMITS)


def with_small_change(root: Path) -> None:
    """The same, where accepting the weights alone is right: all else is as it was."""
    with_baseline(root)
    make_run(root / RUN, changed(WEIGHTS, 2), trail=with_change(links(), 6))


def with_configuration(root: Path) -> None:
    """A project whose configuration somebody wrote."""
    bare(root)
    (root / "project" / "keras-repro.toml").write_text("# by hand\n" * 40)


def with_failed_run(root: Path) -> None:
    """A good run with a person's notes in it, and a failed one beside it."""
    with_run(root)
    (root / RUN / "notes.md").write_text("a person's\n")
    failed = make_run(root / f"{RUN}.failed", {}, outcome="failed", reason="ValueError: no")
    (failed / contract.ARRAYS).unlink()
    change_facts(failed, arrays={}, arrays_sha256=None)


def with_answer(root: Path) -> None:
    """The same, and what a worker sent: another good run."""
    with_failed_run(root)
    answer = root / "answer"
    make_run(answer / "run", changed(WEIGHTS, 2), trail=links())
    (answer / "ended.json").write_text('{"status": 0, "complaint": ""}')
    (root / "project" / "answer.zip").write_bytes(pack(answer))
    shutil.rmtree(answer)


def with_only_failed_run(root: Path) -> None:
    """A run that failed, of which there is little to draw."""
    bare(root)
    make_run(root / RUN, {}, outcome="failed", reason="ValueError: no")


def with_kept(root: Path) -> None:
    """A cache with runs and resolutions that searches have kept, and what a worker was sent."""
    bare(root)
    cache = root / "cache" / "keras-repro"
    for number in range(4):
        make_run(cache / "probes" / f"{number:024x}" / "my" / "jax", ARRAYS)
        path = cache / "resolutions" / f"{number:032x}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("planted==1.0\n")
    (cache / "sent" / ("0" * 64)).mkdir(parents=True)
    (cache / "sent" / ("0" * 64) / "train.py").write_text("pass\n")
    (cache / "others").mkdir()
    (cache / "others" / "file").write_text("not kept by a search\n")


def fresh(root: Path, make: Callable[[Path], None], templates: Path) -> None:
    """Make ``root`` anew, as a copy of what ``make`` makes once."""
    template = templates / make.__name__
    if not template.exists():
        new = template.with_name(f".{template.name}")
        shutil.rmtree(new, ignore_errors=True)
        make(new)
        new.rename(template)
    remove(root)
    shutil.copytree(template, root, symlinks=True)


def remove(root: Path) -> None:
    """Remove a folder, whatever modes its folders have, and however deep they go."""
    if not root.exists():
        return
    try:
        shutil.rmtree(root)
    except (OSError, RecursionError):
        subprocess.run(["chmod", "-R", "u+rwX", root], check=False)
        subprocess.run(["rm", "-rf", root], check=True)
