"""The page of a search: the answer, what was tried, and the two sides of each change."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from keras_repro import __version__
from keras_repro.atomic import write_whole
from keras_repro.engines import Engine
from keras_repro.report import plots, text
from keras_repro.report.bisect.answers import answers, explanation_lines, reproduce
from keras_repro.report.bisect.points import state_of, tried_line, verdict_of
from keras_repro.report.bisect.text import history_rows, summary
from keras_repro.report.page import page_environment
from keras_repro.studies.bisect.search import Bisection, Change


@dataclass(frozen=True)
class Tried:
    """A point that was tried, in words. ``state`` is as the range's bar has it."""

    label: str
    detail: str
    state: str
    verdict: str
    seconds: str


@dataclass(frozen=True)
class Section:
    """What the page says of a change."""

    change: Change
    good: str
    bad: str
    lines: list[str]
    steps: list[str]
    commands: list[str]


def write(path: Path, result: Bisection, engine: Engine) -> None:
    """Write the page.

    Raises:
        CannotWriteError: it cannot be written; what was there is untouched.
    """
    search = result.search
    points = search.points
    sections = [
        Section(
            change,
            points[change.bracket.good].label,
            points[change.bracket.bad].label,
            explanation_lines(change.explanation),
            [line for line in map(text.steps, change.comparisons) if line],
            reproduce(result, change),
        )
        for change in result.changes
    ]
    tried = []
    for at, point in enumerate(points):
        if at in search.outcomes:
            took = "" if point.trial is None else f"{point.trial.seconds:.1f}"
            known = point.trial is not None and point.trial.cached
            tried.append(
                Tried(
                    *(point.label, point.detail, state_of(search, at), verdict_of(search, at)),
                    "known" if known else took,
                )
            )
    page = page_environment()
    page.filters.update(figure=text.figure, count=text.count)
    page.globals.update(where=text.where)
    content = page.get_template("bisect.html.j2").render(
        result=result,
        answers=answers(result),
        tried_line=tried_line(search),
        sections=sections,
        tried=tried,
        plot=_plot(result),
        summary=summary(result, engine),
        version=__version__,
    )
    write_whole(path, content.encode())


def _plot(result: Bisection) -> Markup:
    rows = history_rows(result)
    if not rows:
        return Markup("")
    description = (
        f"Final cost and largest relative difference over {len(rows)} points of "
        f"{result.range.name}, from {rows[0].label} to {rows[-1].label}."
    )
    with np.errstate(all="ignore"):
        figure = plots.over_releases(
            [text.printable(row.label, 16) for row in rows],
            [row.cost for row in rows],
            [row.difference for row in rows],
        )
        return plots.embedded(figure, description, 1)
