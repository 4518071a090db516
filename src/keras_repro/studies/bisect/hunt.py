"""What can be searched: the releases of a package, days, or the user's own commits."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.studies.bisect import commits, days, releases
from keras_repro.studies.bisect.releases import Bisection, Question, Span
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.check import Place
from keras_repro.studies.train.plan import Progress

OnProbe = Callable[[str, Progress | None], None]


@dataclass(frozen=True)
class Asked:
    """What a user asks for: one of ``package``, ``since`` and ``until``, and ``script_change``."""

    package: str | None = None
    good: str | None = None
    bad: str | None = None
    every: bool = False
    pre: bool = False
    since: str | None = None
    until: str | None = None
    script_change: str | None = None


@dataclass(frozen=True)
class Hunt:
    """A search to make. ``what`` names its points, ``good`` what the numbers are compared with."""

    search: Search
    span: Span
    what: str
    good: str
    finish: Callable[[Engine, OnProbe], Bisection]


def start(
    place: Place,
    backend: Backend,
    asked: Asked,
    tolerance: str | float,
    only: tuple[str, ...],
    jobs: int,
) -> Hunt:
    """Return the search; nothing is tried yet.

    Raises:
        UsageError, UnavailableError, MissingError: as the start of each kind does.
    """
    if asked.script_change is not None:
        state = commits.start(place, backend, asked.script_change, tolerance, only, jobs)
        return Hunt(
            *(state, Span.COMMITS, Span.COMMITS, state.points[0].label),
            lambda engine, _: commits.finish(place, backend, state, engine),
        )
    if asked.since is not None and asked.until is not None:
        since, until = (
            days.day("--since", asked.since),
            days.day("--until", asked.until),
        )
        state = days.start(place, backend, since, until, tolerance, only, jobs)
        return Hunt(
            *(state, Span.DAYS, Span.DAYS, state.points[0].label),
            lambda engine, on_probe: days.finish(place, backend, state, engine, on_probe),
        )
    question = Question(
        place=place,
        backend=backend,
        package=str(asked.package),
        good=asked.good,
        bad=asked.bad,
        tolerance=tolerance,
        only=only,
        pre=asked.pre,
        every=asked.every,
        jobs=jobs,
    )
    state, good = releases.start(question)
    return Hunt(
        *(state, Span.RELEASES, question.package, good),
        lambda engine, on_probe: releases.finish(question, state, good, engine, on_probe),
    )
