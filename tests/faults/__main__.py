"""`make faults`: the whole campaign, or a seeded sample of it.

Prints a table of areas, trials and failures, and for each failure the line that repeats it.
Exits with 1 where there is any.
"""

import argparse
import itertools
import math
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_repro import backends
from tests.faults import docker_there, plan, world
from tests.faults.containers import hostile_script
from tests.faults.cut import BACKEND as CUT_ON
from tests.faults.cut import docker_cut
from tests.faults.faults import MUST_BE_HIT, Operation
from tests.faults.hostile import hostile
from tests.faults.installs import killed
from tests.faults.pairs import Pairs, pair
from tests.faults.plan import Trial
from tests.faults.starts import Setting
from tests.faults.table import NOT_HIT, Found, Outcome, failures_of, told
from tests.faults.trial import inject, not_on_disk
from tests.faults.writers import BY_NAME, WRITERS

AREAS = ("inject", "pair", "hostile", "containers", "cut")
# A further area is a file beside these, an entry in AREAS and in PARTS, its trials among the others
# in ``_others``, and what runs one in ``_one``.
PARTS = {
    "inject": 0.55,
    "pair": 0.2,
    "hostile": 0.2,
    "containers": 0.02,
    "cut": 0.03,
}  # of a sample
LONGEST = 200  # seconds: of the slowest trial, where each of its commands hangs
workshop: Pairs


def main() -> int:
    options = _options()
    place = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=place))
    setting = Setting(folder)
    shutil.copyfile(options.library, setting.library)
    world.plant(setting.index)
    started = time.monotonic()
    left_out = _left_out(options)
    try:
        with multiprocessing.get_context("fork").Pool(options.jobs, _enter, (setting,)) as pool:
            outcomes, problems = _campaign(pool, options, started, left_out)
            lost = any(trial.area == "campaign" for trial, *_ in outcomes)
            if not lost and time.monotonic() - started < options.seconds:
                pool.close()
                pool.join()  # so that each ends what it has started
    finally:
        world.remove(folder)
    if left_out and os.environ.get(docker_there.DEMANDED):
        problems += [f"{area} left out: {why}" for area, why in left_out.items()]
    seconds = time.monotonic() - started
    found = Found(outcomes, problems, left_out, options.seed, seconds)
    print(told(found, options.markdown))
    return int(not found.is_good)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="inject.so")
    parser.add_argument("--sample", type=int, help="so many trials in all, not a whole campaign")
    parser.add_argument("--seed", default="1", help="of the plan; a commit say")
    parser.add_argument("--area", action="append", choices=AREAS, help="only these")
    parser.add_argument("--about", action="append", help="only these commands or pairs")
    parser.add_argument("--trial", help="one trial, as a failure names it")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="the table as docs have it")
    return parser.parse_args()


def _enter(setting: Setting) -> None:
    global workshop  # noqa: PLW0603 - a process of the pool has one
    name = multiprocessing.current_process().name.replace(":", "-")
    workshop = Pairs(setting, name)
    multiprocessing.util.Finalize(workshop, workshop.close, exitpriority=1)


def _operations(name: str) -> tuple[str, list[Operation], list[str]]:
    try:
        expected = workshop.undisturbed(BY_NAME[name])
    except RuntimeError as error:  # it goes wrong without a fault
        return name, [], [str(error)]
    return name, expected.operations, not_on_disk(BY_NAME[name], expected)


def _one(trial: Trial) -> Outcome:
    try:
        if trial.area == "inject":
            result = inject(workshop, BY_NAME[trial.about], trial.fault, trial.real)
            hit = f"{result.hit.name} {result.hit.path}" if result.hit else NOT_HIT
            return trial, hit, result.problems
        if trial.area == "pair":
            first, second = trial.about.split("+")
            return trial, "", pair(workshop, (first, second), trial.how, trial.real)
        if trial.area == "containers":
            return trial, "", hostile_script(workshop, trial.about, trial.how, trial.real)
        if trial.area == "cut":
            cut = killed if trial.about in plan.WITHOUT_DOCKER else docker_cut
            return trial, *cut(workshop, trial.about, trial.how, trial.real)
        return trial, "", hostile(workshop, trial.how, trial.real)
    except Exception as error:  # the campaign goes on, and tells of it
        return trial, "", [f"the trial itself failed: {type(error).__name__}: {error}"]


def _campaign(pool, options, started: float, left_out) -> tuple[list[Outcome], list[str]]:
    if options.trial:
        return [pool.apply(_one, (Trial.parse(options.trial),))], []
    rng = random.Random(options.seed)
    wanted = [writer.name for writer in WRITERS if _is_asked(options, "inject", writer.name)]
    found = pool.map(_operations, wanted, chunksize=1)
    problems = [problem for *_, problems in found for problem in problems]
    operations = {name: listed for name, listed, _ in found if listed}
    shares = _shares(options)
    others = _others(rng, shares, options, left_out)
    rng.shuffle(others)
    injected = plan.injections(operations, rng, options.sample is None)
    trials = _mixed(itertools.islice(injected, shares["inject"]), others, shares["inject"])
    outcomes = _run(pool, trials, shares["inject"] + len(others), started, options.seconds)
    # A trial counts only if its fault fired: as many again as did not.
    while (short := sum(_is_missed(*outcome) for outcome in outcomes)) and operations:
        outcomes = [outcome for outcome in outcomes if not _is_missed(*outcome)]
        more = list(itertools.islice(injected, short))
        if not more or time.monotonic() - started > options.seconds:
            break
        outcomes += _run(pool, more, short, started, options.seconds)
    if options.sample is None and time.monotonic() - started < options.seconds:
        missing = _never_hit(operations, outcomes)
        more = plan.all_of(missing)  # those that were tried hit another operation
        outcomes += _run(pool, more, len(more), started, options.seconds)
        for name, one in _never_hit(operations, outcomes):
            problems.append(f"{name}: {one.name} {one.path} ({one.number}) was never hit")
    return outcomes, problems


def _is_asked(options, area: str, about: str) -> bool:
    areas, names = options.area or AREAS, options.about
    return area in areas and (not names or about in names)


def _shares(options) -> dict[str, int | None]:
    """Return how many trials each area has, None for all that there are; of pairs, each pair."""
    whole = {"inject": plan.INJECTIONS, "pair": plan.PAIRS_EACH, "hostile": plan.HOSTILE}
    areas = options.area or AREAS
    if options.sample is None:
        return {area: whole.get(area) if area in areas else 0 for area in AREAS}
    kinds = options.about or [f"{a}+{b}" for a, b in plan.PAIRS]
    parts = [part for (a, b), part in plan.PAIRS.items() if f"{a}+{b}" in kinds]
    total = sum(PARTS[area] for area in areas)
    counts = {area: round(options.sample * PARTS[area] / total) * (area in areas) for area in AREAS}
    counts["pair"] = math.ceil(counts["pair"] / (sum(parts) or 1))
    return counts


def _others(rng: random.Random, shares, options, left_out: dict[str, str]) -> list[Trial]:
    """Return the trials that are no injections."""
    trials = (
        *plan.pairs(rng, shares["pair"], options.seed),
        *plan.hostiles(rng, shares["hostile"], options.seed),
        *plan.in_containers(rng, shares["containers"]),
        *plan.cuts(rng, shares["cut"], options.seed),
    )
    return [
        trial
        for trial in trials
        if _is_asked(options, trial.area, trial.about)
        and f"{trial.area} {trial.about}" not in left_out
    ]


def _left_out(options) -> dict[str, str]:
    """Return what is left out where no engine answers, and why; else prepare the images."""
    need = [name for name in plan.CUTS if name not in plan.WITHOUT_DOCKER]
    kinds = [("containers", name) for name in backends.load()] + [("cut", name) for name in need]
    if options.trial:
        area, about, *_ = options.trial.split("/")
        kinds = [kind for kind in kinds if kind == (area, about)]
    else:
        kinds = [kind for kind in kinds if _is_asked(options, *kind)]
    if not kinds:  # nobody's images are to change for nothing
        return {}
    why = docker_there.why_not()
    if not why:
        docker_there.prepare({about if area == "containers" else CUT_ON for area, about in kinds})
    if not why and not docker_there.socket_path():
        why, kinds = "Docker answers at no socket", [kind for kind in kinds if kind[0] == "cut"]
    return {" ".join(kind): why for kind in kinds if why}


def _is_missed(trial: Trial, hit: str, _problems: list[str]) -> bool:
    return hit == NOT_HIT and trial.area == "inject"


def _mixed(first: Iterable[Trial], others: list[Trial], count: int) -> Iterator[Trial]:
    """Yield both in turn, so that what is left to do is told by what was done."""
    step = len(others) / max(count, 1)
    due = 0.0
    rest = iter(others)
    for trial in first:
        yield trial
        due += step
        while due >= 1:
            due -= 1
            if (other := next(rest, None)) is not None:
                yield other
    yield from rest


def _run(
    pool, trials: Iterable[Trial], count: int, started: float, seconds: float
) -> list[Outcome]:
    outcomes, said = [], 0.0
    results = pool.imap_unordered(_one, trials)
    while True:
        try:
            outcomes.append(results.next(LONGEST))
        except StopIteration:
            break
        except multiprocessing.TimeoutError:  # a process of the pool hangs, or was killed
            outcomes.append((Trial("campaign", "itself", "0", False), "", ["a trial never ended"]))
            break
        for text in failures_of(outcomes[-1]):  # now, and in the table's place once more
            print(text, file=sys.stderr, flush=True)
        now = time.monotonic()
        if now - said > (1 if sys.stderr.isatty() else 30):
            said = now
            failed = sum(bool(problems) for *_, problems in outcomes)
            line = f"{len(outcomes)} of {count} trials, {failed} failed, {now - started:.0f} s"
            print(line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
        if now - started > seconds:
            break
    return outcomes


def _never_hit(
    operations: dict[str, list[Operation]], outcomes: list[Outcome]
) -> list[tuple[str, Operation]]:
    hit = {
        (t.about, t.fault.number)
        for t, what, _ in outcomes
        if t.area == "inject" and what != NOT_HIT
    }
    return [
        (name, one)
        for name, found in operations.items()
        for one in found
        if one.name in MUST_BE_HIT and (name, one.number) not in hit
    ]


if __name__ == "__main__":
    sys.exit(main())
