"""Run a workload under each variation, keep the runs, and compare them with the base."""

import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import (
    ExitCode,
    KerasReproError,
    MissingError,
    RunFailedError,
    StoppedError,
    UnavailableError,
    UsageError,
)
from keras_repro.project.workload import Workload
from keras_repro.runs.run import Run, read_run
from keras_repro.runs.trail import Data
from keras_repro.studies.check import Place
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides
from keras_repro.studies.judge import Judge, baseline_of, judge_of
from keras_repro.studies.train.plan import Plan, Progress, Trained, kept_as
from keras_repro.studies.train.side_by_side import side_by_side
from keras_repro.studies.train.train import check_writable, train_one
from keras_repro.studies.vary.found import Result, Varied
from keras_repro.studies.vary.variations import EMULATED, Subject, Variation, variations

BASE = Variation("base", "")
STORED, DEFAULT = "the baseline's", "the default ones: there is no baseline"
# What ends a training on an emulated processor; jaxlib says it in words.
TOO_OLD = re.compile(r"SIGILL|SIGSEGV|built using AVX")
ENDS = {ExitCode.INTERRUPTED: StoppedError, ExitCode.UNAVAILABLE: UnavailableError}


@dataclass
class Vary:
    """Variations of a workload on a backend, and how far they are; read while they run.

    ``only`` are shell patterns of their names, ``rounding`` how often weights and data are moved,
    ``emulated`` whether processors are emulated, ``rounds_alone`` whether nothing is varied but
    what rounds otherwise. ``takes_diverged`` as of Plan. ``planted`` says for each change that was
    planted after them whether it was caught: [(name of the run, in words)].
    """

    place: Place
    backend: Backend
    only: tuple[str, ...] = ()
    rounding: int = 10
    jobs: int = 1
    emulated: bool = False
    rounds_alone: bool = False
    takes_diverged: bool = False
    asked: list[Variation] = field(default_factory=list)
    running: dict[str, Progress] = field(default_factory=dict)
    varied: list[Varied] = field(default_factory=list)
    planted: list[tuple[str, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def plan(self, variation: Variation) -> Plan:
        """Return what to run for a variation; a run that stands and is the same is taken."""
        workload = under(self.place.of, variation)
        artifacts, kept = self.place.artifacts.absolute(), kept_as(workload.conditions)
        return Plan(
            workload,
            [self.backend],
            artifacts,
            if_needed=True,
            kept=kept,
            takes_diverged=self.takes_diverged,
        )

    def choose(self, flags: tuple[str, ...] | None) -> list[Variation]:
        """Return the variations that are asked for, on a processor with these flags.

        Raises:
            UsageError: no variation has such a name.
        """
        subject = Subject(
            self.backend.name,
            self.place.of.conditions,
            flags,
            self.rounding,
            self.emulated,
            self.rounds_alone,
        )
        every = variations(subject)
        patterns = self.only or ("*",)
        for pattern in patterns:
            if not any(fnmatchcase(one.name, pattern) for one in every):
                names = ", ".join(one.name for one in every)
                raise UsageError(f"no variation matches {pattern!r}; there are {names}")
        return [one for one in every if any(fnmatchcase(one.name, each) for each in patterns)]

    def known_flags(self) -> tuple[str, ...] | None:
        """Return the flags of the processor that made the base; None where it is not there yet."""
        with suppress(KerasReproError):
            return flags_of(read_run(self.plan(BASE).out(self.backend)))
        return None


def flags_of(run: Run) -> tuple[str, ...]:
    """Return the flags of the processor that made a run."""
    return tuple(run.facts.cpu.instruction_sets)


def under(workload: Workload, variation: Variation) -> Workload:
    """Return a workload with one thing changed."""
    return replace(workload, conditions=variation.under(workload.conditions))


def vary(asked: Vary, engine: Engine) -> Result:
    """Make the base, then every variation that is asked for; return what each moves.

    One's failure does not stop the others. KeyboardInterrupt ends what runs at once and is raised
    again; what was done by then is kept, and taken the next time.

    Raises:
        UsageError: no variation has such a name as is asked for.
        RunFailedError: the base fails, so that there is nothing to compare with.
        UnavailableError, StoppedError: as a training does.
    """
    check_writable(asked.place.artifacts)
    asked.choose(None)
    try:
        base = _base(asked, engine)
        asked.asked = asked.choose(flags_of(base))
        judge = judge_of(asked.place, asked.backend, "baseline", facts=base.facts)
        _all(asked, base, judge, engine)
    except BaseException:
        engine.stop()
        raise
    order = {variation.name: at for at, variation in enumerate(asked.asked)}
    assert judge.tolerance_of is not None
    return Result(
        asked.place,
        asked.backend,
        base,
        judge.tolerance_of,
        STORED if baseline_of(asked.place, asked.backend, base.facts) is not None else DEFAULT,
        sorted(asked.varied, key=lambda one: order[one.variation.name]),
        time.monotonic() - asked.started,
    )


def _base(asked: Vary, engine: Engine) -> Run:
    trained = train_under(asked, BASE, engine)
    if trained.problem or trained.run is None:
        error = ENDS.get(trained.exit_code, RunFailedError)
        raise error(f"the run that all others are compared with: {trained.problem}")
    trained.run.arrays  # noqa: B018 - opened now: what replaces it later is not this run
    return trained.run


def train_under(asked: Vary, variation: Variation, engine: Engine) -> Trained:
    """Run a workload under a variation, or take the run that stands."""
    plan = asked.plan(variation)
    progress = Progress(variation.name, asked.backend, out=plan.out(asked.backend))
    asked.running[variation.name] = progress
    try:
        return train_one(plan, engine, progress)
    finally:
        asked.running.pop(variation.name, None)


def _all(asked: Vary, base: Run, judge: Judge, engine: Engine) -> None:
    lock = threading.Lock()

    def one(variation: Variation) -> None:
        trained = None if variation.skipped else train_under(asked, variation, engine)
        varied = _varied(variation, trained, base, judge)
        with lock:
            asked.varied.append(varied)

    side_by_side(asked.asked, one, asked.jobs, engine)


def _varied(variation: Variation, trained: Trained | None, base: Run, judge: Judge) -> Varied:
    if trained is None:
        return Varied(variation, problem=variation.skipped)
    if variation.factor == EMULATED and _cannot_be_made(trained):
        return Varied(replace(variation, skipped=trained.problem), problem=trained.problem)
    if trained.run is None or not trained.run.facts.completed or trained.problem:
        code = trained.exit_code or ExitCode.RUN_FAILED
        problem = trained.problem or "it left no run"
        return Varied(variation, trained.run, problem=problem, exit_code=code)
    if trained.run.facts.ulps and not _has_moved(trained.run, base):
        problem = "the script makes no weights that could be moved, and trains with no such data"
        return Varied(replace(variation, skipped=problem), trained.run, problem=problem)
    try:
        comparisons = judge.compare(trained.run.all_arrays, base.all_arrays)
        sides = Sides(f"with {variation.name}", "without")
        trace = traced(trained.run, base, comparisons, sides)
    except KerasReproError as error:
        return Varied(variation, trained.run, problem=str(error), exit_code=error.exit_code)
    seconds = trained.run.facts.durations.get("total", 0.0)
    return Varied(
        variation, trained.run, comparisons, trace, "", ExitCode.OK, seconds, trained.skipped
    )


def _cannot_be_made(trained: Trained) -> bool:
    """Whether there is no QEMU, the backend's libraries need more of a processor, or QEMU fails."""
    return trained.exit_code == ExitCode.UNAVAILABLE or bool(TOO_OLD.search(trained.problem))


def _has_moved(run: Run, base: Run) -> bool:
    """Whether initial weights or training data of a run have other bits than the base's."""
    if _data(run) != _data(base):
        return True
    names = [name for name in run.arrays if "initial_weights/" in name and name in base.arrays]
    try:
        return any(run.arrays[n].load().tobytes() != base.arrays[n].load().tobytes() for n in names)
    except MissingError:
        return True


def _data(run: Run) -> list[str]:
    """Return the digests of what the calls of a run were given, where that is known."""
    trail = run.trail.trail
    links = [] if trail is None else trail.links
    return [link.value.digest for link in links if isinstance(link, Data) and link.value]
