"""How far the backends of a workload are from one another: their training costs together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from keras_repro.numbers.differences import Array
from keras_repro.recorder.contract import TRAIN_COSTS
from keras_repro.report.check.arrays import apart, arrays_of, real_array
from keras_repro.report.check.plots import last
from keras_repro.report.page import Plots
from keras_repro.report.plots.costs import all_costs
from keras_repro.runs.run import Run
from keras_repro.studies.check import Checked


@dataclass(frozen=True)
class Across:
    """What the page says of the backends together.

    ``distances`` has a row for each backend: for each other one, the largest difference of their
    costs and the one at the last step. ``same_script`` says whether all ran one script and seed.
    """

    plot: Markup
    backends: list[str]
    distances: list[tuple[str, list[str]]]
    same_script: bool


def across(plots: Plots, results: Sequence[Checked]) -> Across | None:
    """Return what there is to say of the backends together, None where none has costs."""
    costs = {
        result.backend.name: array
        for result in results
        if (array := real_array(arrays_of(result.run), TRAIN_COSTS)) is not None
    }
    if not costs:
        return None
    ends = ", ".join(f"{name} {last(values)}" for name, values in costs.items())
    description = f"Training cost of every backend over the steps. The last: {ends}."
    origins = {_origin(r.run) for r in results if r.run and r.backend.name in costs}
    return Across(
        plots.wide_plot(description, all_costs, costs),
        list(costs),
        _distances(costs),
        len(origins) < 2,
    )


def _origin(run: Run) -> tuple[str | None, tuple[str, ...], int]:
    return run.facts.script_sha256, tuple(run.facts.script_args), run.facts.seed


def _distances(costs: Mapping[str, Array]) -> list[tuple[str, list[str]]]:
    rows = []
    for name, mine in costs.items():
        cells = []
        for other, theirs in costs.items():
            found = apart(mine, theirs)
            if name == other or not found.size:
                cells.append("–")
            else:
                cells.append(f"{found.max():.2g} / {found[-1]:.2g}")
        rows.append((name, cells))
    return rows
