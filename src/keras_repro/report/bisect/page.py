"""The page of a search: the answer, its changes with their evidence, and what was tried."""

from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from keras_repro.atomic import write_whole
from keras_repro.engines import Engine
from keras_repro.numbers.chance.decide import Decision
from keras_repro.numbers.comparison import Comparison, Verdict, worst_verdict
from keras_repro.report import text
from keras_repro.report.bisect import chance
from keras_repro.report.bisect.answers import blamed, explanation_lines, headline, reproduce
from keras_repro.report.bisect.points import state_of, tried_line, verdict_of
from keras_repro.report.bisect.text import history_rows, summary
from keras_repro.report.ensemble import words
from keras_repro.report.ensemble.plots import distributions
from keras_repro.report.first_link import sentence
from keras_repro.report.matrix import Cell, Colour, verdict_cell
from keras_repro.report.page import Plots, page_environment
from keras_repro.report.plots.releases import over_releases
from keras_repro.studies.bisect.search import Bisection, Change, Search

LONGEST_LABEL = 16  # characters of a release where it is drawn


@dataclass(frozen=True)
class Tried:
    """A point that was tried, in words."""

    label: str
    detail: str
    cell: Cell
    told: str
    seconds: str


@dataclass(frozen=True)
class Shown:
    """What the page says of a change; ``before`` is the point that is still good."""

    label: str
    before: str
    detail: str
    cell: Cell
    kinds: str
    most: float | None
    reason: str
    lines: list[str]
    steps: list[str]
    comparisons: list[Comparison]
    commands: list[str]
    scalars: list[list[str]] = field(default_factory=list)
    plots: list[tuple[str, Markup]] = field(default_factory=list)


def write(path: Path, result: Bisection, engine: Engine) -> None:
    """Write the page.

    Raises:
        CannotWriteError: it cannot be written; what was there is untouched.
    """
    search = result.search
    first, last = search.points[0].label, search.points[-1].label
    name, answer = search.range.name, headline(result)
    content = (
        page_environment()
        .get_template("bisect.html.j2")
        .render(
            workload=search.range.place.workload,
            backend=search.range.backend,
            what=name,
            headline=f"{answer[0].upper()}{answer[1:]}.",
            range=f"From {name} {first} to {last}; good is {search.range.good}",
            tried_line=tried_line(search),
            sureness=chance.sureness(result),
            columns=chance.COLUMNS,
            changes=[_shown(result, change) for change in result.changes],
            tried=[_tried(search, at) for at in range(len(search.points)) if at in search.outcomes],
            plot=_plot(result),
            summary=summary(result, engine),
        )
    )
    write_whole(path, content.encode())


def _shown(result: Bisection, change: Change) -> Shown:
    good, bad = (result.search.points[at] for at in (change.bracket.good, change.bracket.bad))
    if chance.by_seeds(result.search) is not None:
        return _shown_of_seeds(result, change)
    order = list(Verdict)[::-1].index
    comparisons = sorted(change.comparisons, key=lambda comparison: order(comparison.verdict))
    worst = worst_verdict([comparison.verdict for comparison in comparisons])
    assert worst is not None
    skipped = len(change.bracket.skipped)
    between = f"; {skipped} between {'tells' if skipped == 1 else 'tell'} nothing"
    told = [sentence(change.trace), *(text.steps(c, change.trace) for c in comparisons)]
    sizes = [c.max_relative for c in comparisons if c.max_relative is not None]
    return Shown(
        label=bad.label,
        before=good.label,
        detail=f"{bad.detail}{bool(bad.detail) * ', '}after {good.label}{bool(skipped) * between}",
        cell=Cell(str(worst), verdict_cell(worst).sign, Colour.BAD),
        kinds=", ".join(change.kinds),
        most=max(sizes, default=None),
        reason="" if change.explanation is None else blamed(change.explanation),
        lines=explanation_lines(change.explanation),
        steps=[line for line in told if line],
        comparisons=comparisons,
        commands=reproduce(result, change),
    )


def _shown_of_seeds(result: Bisection, change: Change) -> Shown:
    """Return what the page says of a change of distribution."""
    good, bad = (result.search.points[at] for at in (change.bracket.good, change.bracket.bad))
    one, plots = chance.change_of(result.search, change), Plots()
    reasons = chance.reasons(one)
    return Shown(
        label=bad.label,
        before=good.label,
        detail=f"{bad.detail}{bool(bad.detail) * ', '}after {good.label}",
        cell=words.cell(Decision.DIFFERENT),
        kinds=", ".join(chance.differing(one)),
        most=None,
        reason="" if change.explanation is None else blamed(change.explanation),
        lines=explanation_lines(change.explanation),
        steps=reasons,
        comparisons=[],
        commands=reproduce(result, change),
        scalars=[chance.row(found) for found in one.found],
        plots=[
            (
                text.printable(found.name, 60),
                plots.wide_plot(
                    f"{text.printable(found.name, 60)}: {found.seeds[0]} good seeds, and "
                    f"{found.seeds[1]} with {bad.label}.",
                    distributions,
                    found,
                ),
            )
            for found in one.found
        ],
    )


def _tried(search: Search, at: int) -> Tried:
    point = search.points[at]
    verdict = point.verdict
    cell = Cell("skipped", "–", Colour.NONE)
    many = chance.sampled(point)
    if many is not None:
        good = Cell("good", "●", Colour.GOOD)
        cell = good if many.decision is None else words.cell(many.decision)
    if verdict is not None and point.told:
        cell = verdict_cell(verdict)
        if state_of(search, at) == "bad":  # also what is close, where the bits are to be the same
            cell = Cell(cell.word, cell.sign, Colour.BAD)
    seconds = "" if point.trial is None else f"{point.trial.seconds:.1f}"
    if point.trial is not None and point.trial.cached:
        seconds = "known"
    return Tried(point.label, point.detail, cell, verdict_of(search, at), seconds)


def _plot(result: Bisection) -> Markup:
    if chance.by_seeds(result.search) is not None:
        return Markup("")  # the last cost of one seed tells nothing
    rows = history_rows(result)
    if not rows:
        return Markup("")
    return Plots().wide_plot(
        f"Final cost and largest relative difference over {len(rows)} points of "
        f"{result.range.name}, from {rows[0].label} to {rows[-1].label}.",
        over_releases,
        [text.printable(row.label, LONGEST_LABEL) for row in rows],
        [row.cost for row in rows],
        [row.difference for row in rows],
        [at for at, row in enumerate(rows) if row.changed],
    )
