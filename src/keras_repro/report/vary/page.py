"""The page of variations: the answer, what moves what, and how far rounding goes by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from keras_repro.atomic import write_whole
from keras_repro.numbers.comparison import Comparison
from keras_repro.numbers.differences import Array
from keras_repro.recorder.contract import TRAIN_COSTS, in_order
from keras_repro.report import text
from keras_repro.report.check.arrays import real_array
from keras_repro.report.matrix import Cell
from keras_repro.report.page import Plots, page_environment
from keras_repro.report.vary import words
from keras_repro.report.vary.markdown import summary
from keras_repro.report.vary.plots import heat_map, spread_of_arrays, spread_of_steps
from keras_repro.studies.vary.found import Result, State, Varied
from keras_repro.studies.vary.variations import ROUNDING

MOST_ARRAYS = 60  # that are drawn: those that move furthest
MOST_ROWS = 100  # of a table; the rest is counted
LONGEST_NAME = 32  # characters of an array's name where it is drawn


@dataclass(frozen=True)
class Shown:
    """What the page says of a variation."""

    name: str
    factor: str
    cell: Cell
    arrays: str
    largest: str
    first: str
    told: list[str]
    moved: list[Comparison]


def write(path: Path, result: Result) -> None:
    """Write the page.

    Raises:
        CannotWriteError: it cannot be written; what was there is untouched.
    """
    answer = words.headline(result)
    content = (
        page_environment()
        .get_template("vary.html.j2")
        .render(
            workload=result.place.workload,
            backend=result.backend,
            headline=f"{answer[0].upper()}{answer[1:]}.",
            counts=words.counts(result),
            tolerances=result.tolerances,
            variations=[_shown(one) for one in result.varied if one.state is not State.SKIPPED],
            left_out=words.left_out(result),
            plots=list(_plots(Plots(), result)),
            summary=summary(result),
            most_rows=MOST_ROWS,
        )
    )
    write_whole(path, content.encode())


def _shown(varied: Varied) -> Shown:
    told = [words.link(varied), varied.problem]
    return Shown(
        varied.variation.name,
        varied.variation.factor,
        words.cell(varied.state),
        words.arrays(varied),
        words.largest(varied),
        words.first(varied),
        [line for line in told if line],
        sorted(varied.moved, key=lambda one: one.verdict.passes),
    )


def _plots(plots: Plots, result: Result) -> Iterator[tuple[Markup, str]]:
    moving = result.of(State.MOVED, State.BEYOND)
    names = moved_arrays(moving)
    if not names:
        return
    rows = [one.variation.name for one in moving]
    sizes = differences(moving, names)
    shown = [text.printable(name, LONGEST_NAME) for name in names]
    yield (
        plots.wide_plot(
            f"Largest relative difference of {len(names)} arrays under {len(rows)} variations; "
            f"the largest is {text.figure(float(sizes.max()))}.",
            *(heat_map, rows, shown, sizes),
        ),
        "Each variation that moves something, by the arrays that it moves. Empty: not a bit moves.",
    )
    is_rounding = np.array([one.variation.factor == ROUNDING for one in moving])
    yield (
        plots.wide_plot(
            f"How far each of {len(names)} arrays is moved by each variation.",
            *(spread_of_arrays, shown, list(sizes[is_rounding].T), list(sizes[~is_rounding].T)),
        ),
        "A mark for each variation. What lies within the marks of rounding, rounding alone can do.",
    )
    of_rounding, others = words.rounding(result)
    of_ulps, of_others = (furthest_by_step(result, those) for those in (of_rounding, others))
    if of_ulps is not None or of_others is not None:
        yield (
            plots.wide_plot(
                "How far the training costs are moved at most, over the steps.",
                spread_of_steps,
                of_ulps,
                of_others,
            ),
            "The furthest of all variations at each step, relative to the base's cost.",
        )


def moved_arrays(moving: list[Varied]) -> list[str]:
    """Return the names of arrays that any variation moves by a figure, in order; the furthest."""
    furthest: dict[str, float] = {}
    for varied in moving:
        for one in varied.moved:
            if one.max_relative is not None:
                furthest[one.name] = max(furthest.get(one.name, 0.0), one.max_relative)
    chosen = sorted(furthest, key=lambda name: -furthest[name])[:MOST_ARRAYS]
    return sorted(chosen, key=in_order)


def differences(moving: list[Varied], names: list[str]) -> Array:
    """Return the largest relative difference by variation and array; 0 where there is none."""
    found = np.zeros((len(moving), len(names)))
    for row, varied in enumerate(moving):
        sizes = {one.name: one.max_relative for one in varied.moved}
        found[row] = [sizes.get(name) or 0.0 for name in names]
    return found


def furthest_by_step(result: Result, varied: list[Varied]) -> Array | None:
    """Return for each step how far any of these moves its cost, relative; None without costs."""
    base = real_array(result.base.arrays, TRAIN_COSTS)
    found = None
    for one in varied:
        costs = None if one.run is None else real_array(one.run.arrays, TRAIN_COSTS)
        if base is None or costs is None or costs.shape != base.shape or not base.size:
            continue
        wide = [part.astype(np.float64).reshape(len(base), -1)[:, 0] for part in (costs, base)]
        with np.errstate(all="ignore"):
            apart = np.abs(wide[0] - wide[1]) / np.abs(wide[1])
        found = apart if found is None else np.fmax(found, apart)
    return found
