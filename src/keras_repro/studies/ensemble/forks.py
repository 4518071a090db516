"""Many seeds from a process that has imported what the script imports; some are made alone too."""

import random
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from keras_repro.engines import Ended, Engine, Job, Say, Serving
from keras_repro.errors import KerasReproError
from keras_repro.numbers.comparison import EXACT, compare
from keras_repro.recorder.contract import EXIT_FAILED, EXIT_NOT_FORKED, Conditions
from keras_repro.runs.run import read_run
from keras_repro.studies.train.nondeterminism import first_to_part
from keras_repro.studies.train.repeat import remove_run

T = TypeVar("T")
LEAST = 6  # seeds from which on it saves time
VERIFIED = 3  # seeds that are made alone too, before all others
BESIDE = ".forked"  # what the name of such a seed's other run ends with, while it is compared


@dataclass
class Forks:
    """Which seeds' runs were made alone and in a fork, and are the same; ``made`` in a fork alone.

    ``problem`` says why all are made alone, and is empty where they need not be.
    """

    engine: Engine
    verified: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    problem: str = ""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self._cleared: set[Path] = set()

    def make(self, items: Sequence[T], run: Callable[[Sequence[T], Engine], None]) -> None:
        """Make runs, in forks where it is known that they may; a few alone before it is.

        ``run`` makes the runs of some items with an engine.
        """
        is_known = self.problem or len(self.verified) >= VERIFIED
        if is_known or len(items) >= LEAST:
            run(items if is_known else self.verify(items, run), self.maker)
        else:
            run(items, self.engine)

    def verify(self, items: Sequence[T], run: Callable[[Sequence[T], Engine], None]) -> Sequence[T]:
        """Make runs alone and in forks, until enough are the same; return what is left to make.

        ``run`` is as ``make`` takes it. What stands from before verifies nothing: then more are
        made so.
        """
        left = in_order_of_trial(items)
        verifying = Verifying(self.engine, self).as_engine()
        while left and not self.problem and len(self.verified) < VERIFIED:
            count = VERIFIED - len(self.verified)
            run(left[:count], verifying)
            left = left[count:]
        return left

    @property
    def maker(self) -> Engine:
        """The engine that makes the rest: in forks, where that is as good."""
        return self.engine if self.problem else Forking(self.engine, self).as_engine()

    def give_up(self, why: str) -> None:
        """Have all runs from now on made alone."""
        with self.lock:
            self.problem = self.problem or why

    def clear(self, folder: Path) -> None:
        """Remove once what one that was killed has left among the runs in a folder."""
        with self.lock:
            if folder in self._cleared or folder.is_symlink():
                return
            self._cleared.add(folder)
            beside = [path.with_name(path.stem[1:]) for path in folder.glob(f".*{BESIDE}.*")]
            for left in [*folder.glob(f"*{BESIDE}"), *beside]:
                _remove(left)


def forks_of(engine: Engine, conditions: Conditions, count: int) -> Forks | None:
    """Return the forks in which so many seeds are made; None where they are to be made alone.

    Not where the surroundings are changed before anything is imported, nor on another processor.
    """
    changed = conditions.hermetic or conditions.surroundings or conditions.processor
    can = isinstance(engine, Serving) and count >= LEAST and not changed
    return Forks(engine) if can else None


def in_order_of_trial(items: Sequence[T]) -> list[T]:
    """Return the items, those to be verified in front: the first, the last, and one at random."""
    first, *between, last = items
    middle = between.pop(random.randrange(len(between)))
    return [first, last, middle, *between]


def let_go(engine: Engine) -> None:
    """Let an engine end what stays for more runs."""
    if isinstance(engine, Serving):
        engine.let_go()


class Forking:
    """An engine whose runs are made in forks. ``of`` is told what became of them."""

    def __init__(self, engine: Engine, of: Forks) -> None:
        self._engine = engine
        self._serving = cast(Serving, engine)
        self._of = of

    def as_engine(self) -> Engine:
        """Return it as what it is to others: all else that an engine does, the real one does."""
        return cast(Engine, self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run(self, job: Job, say: Say) -> Ended:
        """Make a run in a fork; alone where forks cannot be."""
        self._of.clear(job.out.parent)
        if self._of.problem:
            return self._serving.serve(job, True, say)
        ended = self._serving.serve(job, False, say)
        if ended.status == EXIT_NOT_FORKED:
            self._of.give_up(ended.complaint)
            return self._serving.serve(job, True, say)
        if ended.status == EXIT_FAILED:
            alone = self._serving.serve(job, True, say)
            if alone.status == 0:
                self._of.give_up(f"seed {_seed(job)} fails in a fork alone: {ended.complaint}")
            return alone
        if ended.status == 0 and _is_forked(job):
            with self._of.lock:
                self._of.made.append(_seed(job))
        return ended


class Verifying(Forking):
    """An engine whose runs are all made alone too, to see whether that is the same."""

    def run(self, job: Job, say: Say) -> Ended:
        """Make a run alone, which is kept; compare it with one of a fork, which is not."""
        self._of.clear(job.out.parent)
        ended = self._serving.serve(job, True, say)
        if ended.status == 0 and not self._of.problem:
            other = replace(job, folder=f"{job.folder}{BESIDE}")
            try:
                self._verify(job, other, self._serving.serve(other, False, say))
            finally:
                _remove(other.out)
        return ended

    def _verify(self, job: Job, other: Job, ended: Ended) -> None:
        if ended.status:
            self._of.give_up(ended.complaint)
            return
        with suppress(KerasReproError):
            run, forked = read_run(job.out), read_run(other.out)
            if not forked.facts.forked:  # the first of a recorder
                return
            found = compare(forked.all_arrays, run.all_arrays, lambda name: EXACT)
            parted = first_to_part(found)
            if parted is None:
                with self._of.lock:
                    self._of.verified.append(_seed(job))
            else:
                self._of.give_up(
                    f"of seed {_seed(job)}, {parted.name} is another in a process that had "
                    "imported before"
                )
            return
        self._of.give_up(f"the runs of seed {_seed(job)} cannot be compared")


def _remove(folder: Path) -> None:
    """Remove a run that was only compared, and what its recorder has left beside it."""
    if not folder.is_symlink():
        remove_run(folder)
    shutil.rmtree(folder.with_name(f".{folder.name}.partial"), ignore_errors=True)
    folder.with_name(f".{folder.name}.lock").unlink(missing_ok=True)


def _is_forked(job: Job) -> bool:
    """Whether a run was made in a fork: the first of a recorder is not."""
    with suppress(KerasReproError):
        return read_run(job.out).facts.forked
    return False


def _seed(job: Job) -> int:
    return int(job.workload.conditions.seed)
