"""Find the day after which a workload's numbers differ, and the package whose move did it.

The environment of a day is what the resolver would have made of the backend's requirements then,
within the major releases that the backend is pinned to.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from packaging.requirements import Requirement

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import extra, releases, resolve
from keras_repro.packages.resolve import DoesNotInstallError, Move
from keras_repro.project.workload import Workload
from keras_repro.studies.bisect.confounders import Blame, Separation
from keras_repro.studies.bisect.releases import (
    Bisection,
    Change,
    Span,
    baseline_of,
    change_of,
    check_ends,
    first_changes,
    judge_of,
    probe_alone,
    with_extra,
)
from keras_repro.studies.bisect.search import Point, Search, search
from keras_repro.studies.check import Place
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Probe, probe

MOST_ALONE = 12  # packages that are tried each by itself


def day(option: str, text: str) -> date:
    """Return a date. Raises UsageError where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no date; write it as in 2026-06-24") from None


def start(
    place: Place,
    backend: Backend,
    since: date,
    until: date,
    tolerance: str | float,
    only: tuple[str, ...],
    jobs: int,
) -> Search:
    """Return the days to search.

    Raises:
        UsageError: there are none.
        UnavailableError: the index cannot be read, or does not say when files were uploaded.
    """
    if since >= until:
        raise UsageError(f"--since {since} is not before --until {until}; swap them")
    today = datetime.now(UTC).date()
    if until > today:
        raise UsageError(f"--until {until} has not come yet; today is {today}")
    # What the backend's own requirements name first is what everything hangs on.
    name = next(iter(backend.pins))
    dates = [release.uploaded for release in releases.releases(name, backend)]
    if not any(dates):
        raise UnavailableError(
            f"the package index in use does not say when {name} was uploaded, so there are no "
            "days to go by; search one package instead: --package NAME"
        )
    days = [since + timedelta(number) for number in range((until - since).days + 1)]
    judge = judge_of(place, backend, tolerance, only, baseline_of(place, backend))
    return Search([Point(str(one)) for one in days], judge, jobs=jobs)


def finish(
    place: Place,
    backend: Backend,
    state: Search,
    engine: Engine,
    on_probe: Callable[[str, Progress | None], None],
) -> Bisection:
    """Search the days, then find which of the packages that moved is the reason.

    Raises as bisect.finish does.
    """
    workload = place.of
    asked = [one for _, one in extra.read(workload.requirement_files, workload.requirements)]

    def try_point(at: int, progress: Progress) -> Probe:
        progress.phase = "resolving"
        try:
            of_day = _environment(
                backend, workload, asked, date.fromisoformat(state.points[at].label)
            )
        except DoesNotInstallError as error:
            return Probe(backend, None, f"does not install: {error}")
        return probe(workload, of_day, engine, progress)

    search(state, try_point, backend, engine)
    good = state.points[0].label
    check_ends(state, Span.DAYS, good)
    changes = [
        _reason(workload, state, change, engine, on_probe) for change in first_changes(state)
    ]
    return Bisection(place, backend, Span.DAYS, Span.DAYS, state, changes, good)


def _environment(
    backend: Backend, workload: Workload, asked: list[Requirement], of: date
) -> Backend:
    end = datetime.combine(of + timedelta(1), time(), UTC)
    base = with_extra(backend, workload)
    return resolve.changed(base, (), asked, hold=False, until=end)


def _reason(
    workload: Workload,
    state: Search,
    change: Change,
    engine: Engine,
    on_probe: Callable[[str, Progress | None], None],
) -> Change:
    """Return the change with the packages that moved that day, and those that alone change it."""
    good, bad = state.points[change.bracket.good].probe, state.points[change.bracket.bad].probe
    if good is None or good.run is None or bad is None:
        return change
    base, expected = good.backend, good.run.arrays
    moved = resolve.moves(base, bad.backend)
    apart = {move.package for move in moved}

    def differs(move: Move) -> bool | None:
        if move.after is None:
            return None
        progress = Progress(str(move), base)
        on_probe(str(move), progress)
        versions = {move.package: move.after}
        try:
            wanted = [Requirement(f"{move.package}=={move.after}")]
            backend = resolve.changed(base, wanted)
            found = probe_alone(workload, base, backend, versions, apart, engine, progress)
        except DoesNotInstallError:
            return None
        finally:
            on_probe(str(move), None)
        return None if found is None else change_of(state, found, expected, change.kinds)

    if len(moved) == 1:
        alone: dict[str, bool | None] = {str(moved[0]): True}
    else:
        alone = {str(move): differs(move) for move in moved[:MOST_ALONE]}
    guilty = tuple(move for move in moved if alone.get(str(move)))
    unknown = None in alone.values() or len(moved) > MOST_ALONE
    blame = Blame.COMPANION if guilty else Blame.UNKNOWN if unknown else Blame.TOGETHER
    return replace(change, moved=moved, separation=Separation(blame, None, None, alone, guilty))
