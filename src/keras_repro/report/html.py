"""The report: one HTML file that carries all in itself and runs nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from keras_repro import __version__
from keras_repro.atomic import write_whole
from keras_repro.errors import KerasReproError, MissingError, UsageError
from keras_repro.numbers.comparison import Comparison
from keras_repro.numbers.differences import BFLOAT16, Array, Tolerance
from keras_repro.recorder import contract
from keras_repro.recorder.contract import ArrayName, Kind
from keras_repro.report import matrix, plots, text
from keras_repro.report.history import history_lines
from keras_repro.report.page import page_environment
from keras_repro.report.shown import log_tail, read_png
from keras_repro.runs.baselines import HistoryEntry, past
from keras_repro.runs.npz import Npz, Stored
from keras_repro.runs.run import Run, open_arrays
from keras_repro.studies.check import Checked

MOST_ROWS = 100  # of a table; the rest is counted
MOST_SENTENCES = 5  # on the steps at which costs part
MOST_ENTRIES = 20  # of a history, the newest
MOST_ELEMENTS = 1 << 22  # of an array that is drawn or summed up whole
FIGURES_BYTES = 700_000  # of the scripts' own figures, in all


@dataclass(frozen=True)
class WeightRow:
    """A line of the table of weights."""

    name: str
    shape: str
    before: str
    after: str
    cell: matrix.Cell


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
    tolerance: Tolerance | None = None  # where it is the same for every array


class Page:
    """Numbers the figures, and counts how much room the scripts' own have taken."""

    def __init__(self) -> None:
        self._plots = 0
        self._bytes = 0

    def plot(self, description: str, draw: Callable[..., Figure], *data: Any) -> Markup:
        """Return a plot as HTML, or where it cannot be drawn, why."""
        self._plots += 1
        try:
            with np.errstate(all="ignore"):
                return plots.embedded(draw(*data), description, self._plots)
        except (ArithmeticError, ValueError) as error:  # numbers that no axis has room for
            return Markup("<p>{} (It cannot be drawn: {}.)</p>").format(
                description, text.printable(error)
            )

    def has_room(self, size: int) -> bool:
        """Take the room for a figure, and return whether there was any left."""
        if self._bytes + size > FIGURES_BYTES:
            return False
        self._bytes += size
        return True


@dataclass(frozen=True)
class View:
    """What the page says of one workload. ``mark`` goes before its anchors' names."""

    workload: str
    mark: str
    sentence: str
    good: bool
    groups: list[str]
    sections: list[Section]
    all_costs: Markup | None
    same_script: bool
    distances: list[tuple[str, list[str]]]
    backends: list[str]

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


def write_history_plot(path: Path, histories: Mapping[str, list[HistoryEntry]]) -> None:
    """Draw the final costs over the acceptances into ``path``.

    Raises:
        CannotWriteError: it cannot be written.
        UsageError: the name does not say which of the known formats it is to have.
    """
    form = path.suffix.removeprefix(".").lower()
    if form not in plots.FORMATS:
        raise UsageError(f"cannot draw {path}: name a file that ends with .svg, .png or .pdf")
    write_whole(path, plots.drawn(plots.final_costs(_final_costs(histories)), form))


def render(results: Sequence[tuple[str, Sequence[Checked]]]) -> str:
    """Return the page."""
    page = Page()
    several = len(results) > 1
    views = [_view(page, name, found, several) for name, found in results]
    environment = page_environment()
    environment.filters.update(
        figure=text.figure,
        count=text.count,
        element=text.element,
    )
    environment.globals.update(
        where=text.where,
        note=text.note,
        index=text.index,
        difference=text.difference,
        history_lines=history_lines,
        verdict_cell=matrix.verdict_cell,
    )
    good = sum(view.good for view in views)
    return environment.get_template("report.html.j2").render(
        views=views,
        title=f"{len(views)} workloads" if several else views[0].workload,
        sentence=f"{good} of {len(views)} workloads give the numbers of their baselines."
        if several
        else views[0].sentence,
        version=__version__,
        most_rows=MOST_ROWS,
        most_entries=MOST_ENTRIES,
    )


def _view(page: Page, workload: str, results: Sequence[Checked], several: bool) -> View:
    costs = {
        result.backend.name: array
        for result in results
        if (array := _array(_arrays(result.run), contract.TRAIN_COSTS)) is not None
    }
    groups = matrix.groups(results)
    origins = {_origin(r.run) for r in results if r.run and r.backend.name in costs}
    return View(
        workload=workload,
        mark=f"{workload}-" if several else "",
        sentence=matrix.sentence(results),
        good=all(result.exit_code == 0 for result in results),
        groups=groups,
        sections=[_section(page, result, groups) for result in results],
        all_costs=_all_costs(page, costs),
        same_script=len(origins) < 2,
        distances=_distances(costs),
        backends=list(costs),
    )


def _section(page: Page, result: Checked, groups: Sequence[str]) -> Section:
    cells = [matrix.cell(result, group) for group in groups]
    section = Section(result, matrix.status(result), cells)
    section.rows = sorted(result.comparisons, key=lambda c: c.verdict.passes)
    tolerances = {comparison.tolerance for comparison in section.rows}
    section.tolerance = tolerances.pop() if len(tolerances) == 1 else None
    section.steps = [s for s in map(text.steps, section.rows) if s][:MOST_SENTENCES]
    section.plots = list(_plots(page, result))
    section.weights = list(_weights(result))
    if result.baseline is not None:
        section.history = past(result.baseline.facts, result.baseline)
    if result.run is not None:
        _take_figures(page, section, result.run)
        if not result.run.facts.completed:
            section.log = log_tail(result.run)
    return section


def _plots(page: Page, result: Checked) -> Iterator[Markup]:
    name, run, baseline = result.backend.name, _arrays(result.run), _arrays(result.baseline)
    mine, theirs = _array(run, contract.TRAIN_COSTS), _array(baseline, contract.TRAIN_COSTS)
    if mine is not None or theirs is not None:
        yield page.plot(_cost_description(name, mine, theirs), plots.cost_curves, mine, theirs)
    if mine is not None and theirs is not None and result.baseline is not None:
        apart = np.abs(_minus(mine, theirs))
        largest = apart[np.isfinite(apart)].max(initial=0.0)
        yield page.plot(
            f"{name}: difference between the run's training cost and the baseline's over the "
            f"steps, with the tolerance as a band. The largest difference is {largest:.2e}.",
            plots.cost_difference,
            mine,
            theirs,
            result.baseline.tolerance_of(contract.TRAIN_COSTS),
        )
    yield from _prediction_plots(page, result, run, baseline)


def _prediction_plots(
    page: Page, result: Checked, run: Mapping[str, Stored], baseline: Mapping[str, Stored]
) -> Iterator[Markup]:
    name, key = result.backend.name, str(ArrayName(1, Kind.PREDICTION, "0"))
    mine, theirs = _array(run, key), _array(baseline, key)
    given = _given(result.run)
    x, y = _array(given, f"{key}.x"), None
    if x is not None and x.size:
        y = _wanted(given, x)
    one_to_one = [part for part in (mine, theirs, y) if part is not None]
    if x is not None and x.shape[:1] == (x.size,) and all(p.size == x.size for p in one_to_one):
        if mine is not None or theirs is not None:
            yield page.plot(
                f"{name}: the data, and what the run and the baseline predict for them.",
                plots.prediction_line,
                *(x, y, mine, theirs),
            )
    elif mine is not None and theirs is not None and mine.shape == theirs.shape and mine.size:
        yield page.plot(
            f"{name}: each predicted value of the run against the baseline's.",
            plots.prediction_pairs,
            mine,
            theirs,
        )


def _wanted(given: Mapping[str, Stored], x: Array) -> Array | None:
    """Return what the script tested with, where it is the targets of these inputs."""
    tested = _array(given, str(ArrayName(1, Kind.TEST, "0.x")))
    if tested is None or not np.array_equal(tested, x):
        return None
    return _array(given, str(ArrayName(1, Kind.TEST, "0.y")))


def _weights(result: Checked) -> Iterator[WeightRow]:
    run, baseline = _arrays(result.run), _arrays(result.baseline)
    verdicts = {c.name: matrix.verdict_cell(c.verdict) for c in result.comparisons}
    names = [
        name for name in sorted({*run, *baseline}) if ArrayName.parse(name).kind is Kind.WEIGHT
    ]
    none = matrix.Cell("not compared", "–", matrix.Colour.NONE)
    for name in names[:MOST_ROWS]:
        stored = run.get(name) or baseline[name]
        yield WeightRow(
            name,
            " × ".join(map(str, stored.shape)) or "1",
            _in_short(baseline, name),
            _in_short(run, name),
            verdicts.get(name, none),
        )


def _in_short(arrays: Mapping[str, Stored], name: str) -> str:
    """Return an array's value where it is one, else its mean and standard deviation."""
    array = _array(arrays, name)
    if array is None or not array.size:
        return "–"
    if array.size == 1:
        return f"{array.reshape(-1)[0]:.9g}"
    with np.errstate(all="ignore"):
        wide = array.astype(float)
        return f"mean {wide.mean():.6g}, sd {wide.std():.6g}"


def _take_figures(page: Page, section: Section, run: Run) -> None:
    """Take the script's own figures into the page, as far as there is room."""
    folder = run.folder / contract.FIGURES
    if folder.is_symlink():
        return
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".png")
    except OSError:
        return
    for number, path in enumerate(paths, 1):
        content = read_png(path, FIGURES_BYTES)
        if content is None or not page.has_room(len(content)):
            section.left_out.append(path.name)
            continue
        alt = f"figure {number} that the script showed on {section.result.backend.name}"
        section.figures.append(plots.png_image(content, alt))


def _origin(run: Run) -> tuple[str | None, tuple[str, ...], int]:
    return run.facts.script_sha256, tuple(run.facts.script_args), run.facts.seed


def _all_costs(page: Page, costs: Mapping[str, Array]) -> Markup | None:
    if not costs:
        return None
    last = ", ".join(f"{name} {_last(values)}" for name, values in costs.items())
    return page.plot(
        f"Training cost of every backend over the steps. The last: {last}.", plots.all_costs, costs
    )


def _distances(costs: Mapping[str, Array]) -> list[tuple[str, list[str]]]:
    """Return, for each two backends, the largest and the last difference of their costs."""
    rows = []
    for name, mine in costs.items():
        cells = []
        for other, theirs in costs.items():
            apart = np.abs(_minus(mine, theirs))
            apart = apart[np.isfinite(apart)]
            if name == other or not apart.size:
                cells.append("–")
            else:
                cells.append(f"{apart.max():.2g} / {apart[-1]:.2g}")
        rows.append((name, cells))
    return rows


def _final_costs(histories: Mapping[str, list[HistoryEntry]]) -> dict[str, list[float | None]]:
    return {name: [entry.final_cost for entry in entries] for name, entries in histories.items()}


def _arrays(side: Any) -> Mapping[str, Stored]:
    """Return the arrays of a run or a baseline; none where it has none that can be read."""
    if side is None:
        return {}
    try:
        arrays: Npz = side.arrays
    except KerasReproError:
        return {}
    return arrays


def _given(run: Run | None) -> Mapping[str, Stored]:
    if run is None:
        return {}
    try:
        return open_arrays(run.folder / contract.INPUTS, {})
    except KerasReproError:
        return {}


def _array(arrays: Mapping[str, Stored], name: str) -> Array | None:
    """Return an array of real numbers that is small enough to draw, else None."""
    stored = arrays.get(name)
    if stored is None or stored.size > MOST_ELEMENTS:
        return None
    if stored.dtype.kind not in "biuf" and stored.name != BFLOAT16:
        return None
    try:
        return stored.load()
    except KerasReproError:
        return None


def _minus(mine: Array, theirs: Array) -> Array:
    count = min(mine.size, theirs.size)
    with np.errstate(all="ignore"):
        return np.asarray(
            mine.reshape(-1)[:count].astype(float) - theirs.reshape(-1)[:count].astype(float)
        )


def _cost_description(name: str, run: Array | None, baseline: Array | None) -> str:
    parts = [
        f"the {side} ends at {_last(values)}"
        for side, values in (("run", run), ("baseline", baseline))
        if values is not None and values.size
    ]
    return f"{name}: training cost over the steps; {', '.join(parts)}."


def _last(values: Array) -> str:
    return f"{values.reshape(-1)[-1]:.6g}" if values.size else "none"
