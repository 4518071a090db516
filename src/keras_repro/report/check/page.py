"""The report: one HTML file that carries all in itself and runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from keras_repro.atomic import write_whole
from keras_repro.errors import MissingError
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.numbers.differences import Tolerance
from keras_repro.report import first_link, matrix, text
from keras_repro.report.check.across import Across, across
from keras_repro.report.check.plots import plots_of
from keras_repro.report.check.script_figures import ScriptFigures
from keras_repro.report.check.weights import WeightRow, weight_rows
from keras_repro.report.history import history_lines
from keras_repro.report.page import Plots, page_environment
from keras_repro.report.shown import log_tail
from keras_repro.runs.baselines import past
from keras_repro.runs.chain import HistoryEntry
from keras_repro.studies.check import Checked

MOST_ROWS = 100  # of a table; the rest is counted
MOST_SENTENCES = 5  # on the steps at which costs part
MOST_ENTRIES = 20  # of a history, the newest


@dataclass
class Section:
    """What the page says of one backend."""

    result: Checked
    status: matrix.Cell
    cells: list[matrix.Cell]
    plots: list[Markup] = field(default_factory=list)
    rows: list[Comparison] = field(default_factory=list)
    weights: list[WeightRow] = field(default_factory=list)
    figures: list[Markup] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    history: list[HistoryEntry] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    log: str = ""
    trail: list[tuple[str, matrix.Cell]] = field(default_factory=list)
    first_link: str = ""
    tolerance: Tolerance | None = None  # where it is the same for every array
    measured: bool = False  # whether a calibration measured what each may be off by


@dataclass(frozen=True)
class View:
    """What the page says of one workload. ``mark`` goes before its anchors' names."""

    workload: str
    mark: str
    sentence: str
    good: bool
    groups: list[str]
    sections: list[Section]
    across: Across | None

    @property
    def worst_first(self) -> list[Section]:
        """The backends, those that are not well first."""
        return sorted(self.sections, key=lambda section: section.result.exit_code == 0)


def write_report(path: Path, results: Sequence[tuple[str, Sequence[Checked]]]) -> None:
    """Write the report on one or several workloads into ``path``, whole or not at all.

    Raises:
        CannotWriteError: it cannot be written.
        MissingError: there is no run to report on.
    """
    every = [result for _, found in results for result in found]
    if all(result.run is None for result in every):
        raise MissingError(f"nothing to report on: {every[0].problem}")
    write_whole(path, render(results).encode())


def render(results: Sequence[tuple[str, Sequence[Checked]]]) -> str:
    """Return the page."""
    plots, figures = Plots(), ScriptFigures()
    several = len(results) > 1
    every = [result for _, found in results for result in found]
    views = [_view(plots, figures, name, found, several) for name, found in results]
    environment = page_environment()
    environment.globals.update(history_lines=history_lines)
    good = sum(view.good for view in views)
    return environment.get_template("report.html.j2").render(
        views=views,
        title=f"{len(views)} workloads" if several else views[0].workload,
        sentence=f"{good} of {len(views)} workloads give the numbers of their baselines."
        if several
        else views[0].sentence,
        without_trail=first_link.without_trail(every),
        chaotic=any(row.verdict is Verdict.CHAOTIC for one in every for row in one.comparisons),
        most_rows=MOST_ROWS,
        most_entries=MOST_ENTRIES,
    )


def _view(
    plots: Plots, figures: ScriptFigures, workload: str, results: Sequence[Checked], several: bool
) -> View:
    groups = matrix.groups(results)
    return View(
        workload=workload,
        mark=f"{workload}-" if several else "",
        sentence=matrix.sentence(results),
        good=all(result.exit_code == 0 for result in results),
        groups=groups,
        sections=[_section(plots, figures, result, groups) for result in results],
        across=across(plots, results),
    )


def _section(
    plots: Plots, figures: ScriptFigures, result: Checked, groups: Sequence[str]
) -> Section:
    cells = [matrix.cell(result, group) for group in groups]
    section = Section(result, matrix.status(result), cells)
    section.rows = sorted(result.comparisons, key=lambda c: c.verdict.passes)
    tolerances = {comparison.tolerance for comparison in section.rows}
    section.tolerance = tolerances.pop() if len(tolerances) == 1 else None
    section.measured = any(comparison.is_measured for comparison in section.rows)
    sentences = (text.steps(comparison, result.trace) for comparison in section.rows)
    section.steps = [sentence for sentence in sentences if sentence][:MOST_SENTENCES]
    section.steps[:0] = [line[0].upper() + line[1:] for line in text.asides(section.rows)]
    section.trail = first_link.row(result.trace)
    section.first_link = first_link.sentence(result.trace)
    section.plots = list(plots_of(plots, result))
    section.weights = list(weight_rows(result, MOST_ROWS))
    if result.baseline is not None:
        section.history = past(result.baseline.facts, result.baseline)
    if result.run is not None:
        section.figures, section.left_out = figures.take(result.run, result.backend.name)
        if not result.run.facts.completed:
            section.log = log_tail(result.run)
    return section
