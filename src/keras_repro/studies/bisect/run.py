"""Run a search: try points, check the ends, find the changes, and explain each of them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import pairwise

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import RunFailedError, UsageError
from keras_repro.packages import resolve
from keras_repro.packages.resolve import DoesNotInstallError
from keras_repro.studies.bisect.search import Bisection, Change, Search
from keras_repro.studies.bisect.searchable import NothingThereError
from keras_repro.studies.bisect.strategy import Bracket
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Trial

OnTrial = Callable[[str, Progress | None], None]


def bisect(
    search: Search, engine: Engine, on_trial: OnTrial = lambda label, progress: None
) -> Bisection:
    """Search the range, then explain each change that is found.

    ``on_trial`` is told of the trials that explain a change: the label of one that begins with its
    progress, and None for the progress when it has ended. KeyboardInterrupt ends what runs at once
    and is raised again; ``search`` keeps what was learnt.

    Raises:
        UsageError, RunFailedError: an end of the range tells nothing, the good one is not good, or
            the search is limited to arrays that there are not.
        UnavailableError, StoppedError: as a trial does.
    """
    _try_points(search, engine)
    if search.every:
        _check_told(search)
        changes = _every_change(search)
    else:
        _check_ends(search)
        changes = _first_changes(search)
    try:
        explained = [_explained(search, change, engine, on_trial) for change in changes]
    except BaseException:
        engine.stop()
        raise
    return Bisection(search, explained)


def _try_points(search: Search, engine: Engine) -> None:
    """Try points until all that can be is known."""
    pool = ThreadPoolExecutor(search.jobs)
    lock = threading.Lock()

    def run(at: int) -> Trial:
        progress = Progress(search.points[at].label, search.range.backend)
        with lock:
            search.running[at] = progress
        return _try_point(search, at, engine, progress)

    try:
        while points := search.next_points():
            futures = {pool.submit(run, at): at for at in points}
            while futures:
                _collect(search, futures, lock)
    except BaseException:
        engine.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        search.seconds = time.monotonic() - search.started
        search.done = True
    pool.shutdown()


def _try_point(search: Search, at: int, engine: Engine, progress: Progress) -> Trial:
    progress.phase = "resolving"
    try:
        with search.of.at(search.points[at]) as (workload, backend):
            return search.judge.tried(at, workload, backend, progress, engine)
    except NothingThereError as error:
        return Trial(search.range.backend, None, str(error))


def _collect(search: Search, futures: "dict[Future[Trial], int]", lock: threading.Lock) -> None:
    finished, _ = wait(futures, return_when=FIRST_COMPLETED)
    # The good point first: the others are compared with it.
    for future in sorted(finished, key=lambda one: futures[one]):
        at = futures[future]
        trial = future.result()
        if at != 0 and search.expected is None and not search.points[0].problem:
            others = [one for one in futures if futures[one] == 0]
            if others:  # it is still under way
                wait(others)
                continue
        del futures[future]
        search.tell(at, trial)
        with lock:
            search.running.pop(at, None)


def _check_ends(search: Search) -> None:
    """Raise where an end of the range has no numbers, or the good one is not as the baseline."""
    name = search.range.name
    first, last = search.points[0], search.points[-1]
    for point, end, option in zip((first, last), ("good", "bad"), search.range.ends, strict=True):
        if point.problem:
            message = f"{name} {point.label} ({end}) tells nothing: {point.problem}"
            of_script = point.problem.startswith("the script fails")
            error = RunFailedError if of_script else UsageError
            raise error(f"{message}; name another {option}")
    if any((search.outcomes[0] or {}).values()):
        raise RunFailedError(
            f"with {name} {first.label} the numbers are not {search.range.good}'s here, so "
            f"another {search.range.unit} cannot be the reason; see keras-repro check for what is"
        )


def _check_told(search: Search) -> None:
    """Raise where fewer than two points have numbers, so that there is nothing to compare."""
    told = [point for point in search.points if point.told]
    if len(told) > 1:
        return
    count = "none" if not told else f"only {told[0].label}"
    problem = next((point.problem for point in search.points if point.problem), "")
    raise RunFailedError(
        f"of {len(search.points)} {search.range.unit}s of {search.range.name} {count} has numbers: "
        f"{problem}"
    )


def _first_changes(search: Search) -> list[Change]:
    """Return the first change of each kind of array, those of the same place together."""
    places: dict[Bracket, list[str]] = {}
    for kind in search.kinds:
        bracket = search.bracket(kind)
        if bracket is not None:
            places.setdefault(bracket, []).append(kind)
    ordered = sorted(places.items(), key=lambda item: item[0].bad)
    return [Change(tuple(kinds), at, search.between(at.good, at.bad)) for at, kinds in ordered]


def _every_change(search: Search) -> list[Change]:
    """Return each place where neighbours differ, in order."""
    told = [at for at, point in enumerate(search.points) if point.told]
    changes = []
    for left, right in pairwise(told):
        outcome = search.judge.outcome(search.between(left, right))
        kinds = tuple(sorted(kind for kind, differs in outcome.items() if differs))
        if kinds:
            bracket = Bracket(left, right, tuple(range(left + 1, right)))
            changes.append(Change(kinds, bracket, search.between(left, right)))
    return changes


def _explained(search: Search, change: Change, engine: Engine, on_trial: OnTrial) -> Change:
    """Return the change with the package that is its reason, and where the numbers part."""
    good = search.points[change.bracket.good].trial
    bad = search.points[change.bracket.bad].trial
    if good is None or good.run is None or bad is None:
        return change
    base, expected = good.backend, good.run.all_arrays

    def differs(label: str, environment: Callable[[], Backend | None]) -> bool | None:
        progress = Progress(label, base, phase="resolving")
        on_trial(label, progress)
        try:
            backend = environment()
            trial = None
            if backend is not None:
                of = search.range.place.of
                trial = search.judge.tried(None, of, backend, progress, engine)
        except DoesNotInstallError:
            return None
        finally:
            on_trial(label, None)
        if trial is None or trial.run is None:
            return None
        comparisons = search.judge.compare(trial.run.all_arrays, expected)
        outcome = search.judge.outcome(comparisons, trial)
        return any(outcome.get(kind, False) for kind in change.kinds)

    trace = search.trace(change.bracket.good, change.bracket.bad)
    # Each package that moved alone, and those together that moved with the first.
    search.judge.explains(len(resolve.moves(base, bad.backend)) + 1)
    found = search.of.explain(base, bad.backend, differs)
    return replace(change, explanation=found, trace=trace)
