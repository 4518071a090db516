"""Hostile folders: a run and a baseline that nobody wrote so, through every command that reads."""

import json
import random
from pathlib import Path

from keras_repro.recorder import contract
from keras_repro.recorder.__main__ import DEFAULT_SCRIPT
from keras_repro.recorder.facts import file_sha256
from tests.faults import mutations, states, world
from tests.faults.starts import Call, Done
from tests.faults.trial import CODES, HANGS, Workshop
from tests.faults.writers import ACCEPT, BASELINE, LAST, RUN
from tests.unit.made import change_facts, ensemble, make_run

MARK = "what-nobody-may-read"  # it lies outside
FORMS = ("text", "json", "markdown")
OTHER = "project/other"
FILES = (
    *(f"{RUN}/{name}" for name in (contract.ARRAYS, contract.FACTS, contract.LOG)),
    *(f"{RUN}/{name}" for name in (contract.ARRAYS, contract.FACTS, contract.NOT_REPEATED)),
    *(f"{RUN}/{name}" for name in (contract.SAMPLES, contract.TRAIL)),
    *(f"{BASELINE}/{name}" for name in (contract.ARRAYS, contract.SAMPLES, contract.TRAIL)),
    f"{BASELINE}/baseline.json",
    f"{BASELINE}/ensemble.json",
    LAST,
)
# What each command may write; the rest, and all that lies outside, stands as it was.
READS = (
    ("check --backend jax --format {form}", ()),
    ("check --backend jax -v --only *", ()),
    ("compare other artifacts/regression/jax --format {form}", ()),
    ("compare baselines/regression/jax artifacts/regression/jax", ()),
    ("history --backend jax", ()),
    ("equivalent --backend jax --format {form}", ()),
    ("report --backend jax", ("project/report.html",)),
    ("{accept}", (BASELINE,)),
    (
        "train regression --engine local --backend jax --if-needed",
        ("project/artifacts/regression/*",),
    ),
)


def hostile(workshop: Workshop, seed: str, real: bool) -> list[str]:
    """Spoil a run, a baseline or what lies beside them; return what is wrong with what follows."""
    rng = random.Random(seed)
    world.fresh(workshop.root, world.with_few_arrays, workshop.templates)
    root, outside = workshop.root, workshop.root.with_name("outside")
    _plant_outside(outside)
    make_run(root / OTHER, world.FEW, seed=2)
    for path in (f"{BASELINE}/ensemble.json", LAST):
        (root / path).write_text(json.dumps(ensemble(costs__test=[1.0, 2.0, 4.0])))
    # What is asked of a run of another script ends there.
    change_facts(root / RUN, script_sha256=file_sha256(DEFAULT_SCRIPT))
    (root / RUN / contract.NOT_REPEATED).write_text('{"schema_version": 1, "array": "costs/train"}')
    if rng.random() < 0.8:
        (root / RUN / contract.NOT_REPEATED).unlink()
    done = []
    if rng.random() < 0.3:
        done.append(_failed(rng, root / RUN, outside))
    for _ in range(rng.randint(1, 2)):
        chance = rng.random()
        if chance < 0.25:
            done.append(mutations.plant(rng, root / RUN, outside))
        elif chance < 0.35:
            mutations.exchanged(rng, root / RUN / contract.ARRAYS, outside)
            done.append("exchanged")
        else:
            done.append(mutations.spoil(rng, root / rng.choice(FILES), outside))
    problems, stands = [], _both(root, outside)
    for words, may_write in READS:
        form, only = rng.choice(FORMS), rng.choice(("", " --only weights/*"))
        command = words.format(form=form, accept=ACCEPT + only)
        good, before = _hashes(root), stands
        call = Call("tests.faults.program", tuple(command.split()), root / "project", {})
        ended = call.start(workshop.setting, root, None if real else workshop.server)
        stands = _both(root, outside)
        found = _ended(ended) + _changed(before, stands, may_write)
        if command.startswith("report") and _tells(root / "project" / "report.html"):
            found.append("it shows what lies outside")
        if command.startswith("accept"):
            found += _accepted(before, stands, ended, good or bool(only))
        problems += [f"{command}: {problem}" for problem in found]
    return [f"{problem} (after {', '.join(done) or 'nothing'})" for problem in problems]


def _failed(rng: random.Random, run: Path, outside: Path) -> str:
    """Make the run one that failed, of which the log is shown; that may lead elsewhere."""
    change_facts(run, outcome="failed", reason="ValueError: no")
    if rng.random() < 0.5:
        return "a failed run"
    (run / contract.LOG).unlink()
    (run / contract.LOG).symlink_to(outside / "secret")
    return "a failed run, its log a link"


def _plant_outside(outside: Path) -> None:
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_text(MARK * 3 + "\n")


def _both(root: Path, outside: Path) -> states.Tree:
    return states.tree(root) | states.tree(outside.parent, (outside.name,))


def _ended(done: Done) -> list[str]:
    problems = []
    if "Traceback" in done.output:
        problems.append(f"a traceback: {done.output.strip().splitlines()[-1][:200]}")
    if done.code not in CODES:
        said = "it hangs" if done.code == HANGS else f"exit code {done.code}: {done.output[-200:]}"
        problems.append(said)
    if MARK in done.output:
        problems.append("it prints what lies outside")
    return problems


def _changed(before: states.Tree, now: states.Tree, may_write: tuple[str, ...]) -> list[str]:
    was, stands = (states.outside(tree, may_write) for tree in (before, now))
    changed = [path for path in {*was, *stands} if was.get(path) != stands.get(path)]
    allowed = tuple(pattern.removesuffix("*") for pattern in may_write)
    changed = [path for path in changed if not (allowed and path.startswith(allowed))]
    return [f"it changed {', '.join(sorted(changed)[:3])}"] if changed else []


def _accepted(before: states.Tree, now: states.Tree, done: Done, good: bool) -> list[str]:
    """Return what is wrong with a baseline; ``good`` says that the run's arrays are its own."""
    if done.code == 0:
        return [] if good else ["it accepted what the run did not write"]
    old, new = (states.units(tree, (BASELINE,)) for tree in (before, now))
    return ["it was not accepted, and the baseline changed"] if old != new else []


def _tells(page: Path) -> bool:
    return page.is_file() and MARK in page.read_text(errors="replace")


def _hashes(root: Path) -> bool:
    """Whether the run's arrays are those that its facts tell of."""
    facts, arrays = (root / RUN / name for name in (contract.FACTS, contract.ARRAYS))
    try:
        if not (facts.is_file() and arrays.is_file()):  # a pipe, or a device without an end
            return False
        return json.loads(facts.read_bytes())["arrays_sha256"] == file_sha256(str(arrays))
    except Exception:  # whatever a mutation made of it
        return False
