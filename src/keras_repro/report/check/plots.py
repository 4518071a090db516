"""The plots of one backend: its costs, how far they are from the baseline's, its predictions."""

from collections.abc import Iterator, Mapping

import numpy as np
from markupsafe import Markup

from keras_repro.numbers.differences import Array
from keras_repro.recorder.contract import TRAIN_COSTS, ArrayName, Kind
from keras_repro.report.check.arrays import apart, arrays_of, given_to, real_array
from keras_repro.report.page import Plots
from keras_repro.report.plots.costs import cost_curves, cost_difference
from keras_repro.report.plots.predictions import prediction_line, prediction_pairs
from keras_repro.runs.npz import Stored
from keras_repro.studies.check import Checked


def plots_of(plots: Plots, result: Checked) -> Iterator[Markup]:
    """Yield the plots of a backend, as far as it has something to draw."""
    name, run, baseline = result.backend.name, arrays_of(result.run), arrays_of(result.baseline)
    mine, theirs = real_array(run, TRAIN_COSTS), real_array(baseline, TRAIN_COSTS)
    if mine is not None or theirs is not None:
        yield plots.plot(_cost_description(name, mine, theirs), cost_curves, mine, theirs)
    if mine is not None and theirs is not None and result.baseline is not None:
        largest = apart(mine, theirs).max(initial=0.0)
        yield plots.plot(
            f"{name}: difference between the run's training cost and the baseline's over the "
            f"steps, with the tolerance as a band. The largest difference is {largest:.2e}.",
            cost_difference,
            mine,
            theirs,
            result.baseline.tolerance_of(TRAIN_COSTS),
        )
    yield from _predictions(plots, result, run, baseline)


def last(values: Array) -> str:
    """Return the last of a series of costs in six digits."""
    return f"{values.reshape(-1)[-1]:.6g}" if values.size else "none"


def _predictions(
    plots: Plots, result: Checked, run: Mapping[str, Stored], baseline: Mapping[str, Stored]
) -> Iterator[Markup]:
    name, key = result.backend.name, str(ArrayName(1, Kind.PREDICTION, "0"))
    mine, theirs = real_array(run, key), real_array(baseline, key)
    given = given_to(result.run)
    x, y = real_array(given, f"{key}.x"), None
    if x is not None and x.size:
        y = _wanted(given, x)
    one_to_one = [part for part in (mine, theirs, y) if part is not None]
    if x is not None and x.shape[:1] == (x.size,) and all(p.size == x.size for p in one_to_one):
        if mine is not None or theirs is not None:
            yield plots.plot(
                f"{name}: the data, and what the run and the baseline predict for them.",
                prediction_line,
                *(x, y, mine, theirs),
            )
    elif mine is not None and theirs is not None and mine.shape == theirs.shape and mine.size:
        yield plots.plot(
            f"{name}: each predicted value of the run against the baseline's.",
            prediction_pairs,
            mine,
            theirs,
        )


def _wanted(given: Mapping[str, Stored], x: Array) -> Array | None:
    """Return what the script tested with, where it is the targets of these inputs."""
    tested = real_array(given, str(ArrayName(1, Kind.TEST, "0.x")))
    if tested is None or not np.array_equal(tested, x):
        return None
    return real_array(given, str(ArrayName(1, Kind.TEST, "0.y")))


def _cost_description(name: str, run: Array | None, baseline: Array | None) -> str:
    parts = [
        f"the {side} ends at {last(values)}"
        for side, values in (("run", run), ("baseline", baseline))
        if values is not None and values.size
    ]
    return f"{name}: training cost over the steps; {', '.join(parts)}."
