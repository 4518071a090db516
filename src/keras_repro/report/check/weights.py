"""The table of weights: each of them in short, of the baseline and of the run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from keras_repro.numbers.summaries import Summary
from keras_repro.recorder.contract import ArrayName, Kind, in_order
from keras_repro.report import matrix
from keras_repro.report.check.arrays import all_of, real_array
from keras_repro.runs.summaries import Kept
from keras_repro.studies.check import Checked


@dataclass(frozen=True)
class WeightRow:
    """A line of the table of weights."""

    name: str
    shape: str
    before: str
    after: str
    cell: matrix.Cell


def weight_rows(result: Checked, most: int) -> Iterator[WeightRow]:
    """Yield a line for each weight at the end of the training, ``most`` at most."""
    run, baseline = all_of(result.run), all_of(result.baseline)
    verdicts = {c.name: matrix.verdict_cell(c.verdict) for c in result.comparisons}
    names = [
        name
        for name in sorted({*run, *baseline}, key=in_order)
        if ArrayName.parse(name).kind is Kind.WEIGHT
    ]
    none = matrix.Cell("not compared", "–", matrix.Colour.NONE)
    for name in names[:most]:
        stored = run.get(name) or baseline[name]
        yield WeightRow(
            name,
            " × ".join(map(str, stored.shape)) or "1",
            _in_short(baseline, name),
            _in_short(run, name),
            verdicts.get(name, none),
        )


def _in_short(arrays: Mapping[str, Kept], name: str) -> str:
    """Return an array's value where it is one, else its mean and standard deviation."""
    kept = arrays.get(name)
    if isinstance(kept, Summary):
        return _of_figures(kept)
    array = real_array({} if kept is None else {name: kept}, name)
    if array is None or not array.size:
        return "–"
    if array.size == 1:
        return f"{array.reshape(-1)[0]:.9g}"
    with np.errstate(all="ignore"):
        wide = array.astype(float)
        return f"mean {wide.mean():.6g}, sd {wide.std():.6g}"


def _of_figures(kept: Summary) -> str:
    """Return the mean and the standard deviation of an array that was not kept, from its norm."""
    mean, norm = kept.figures.mean, kept.figures.norm
    if mean is None or norm is None:
        return "–"
    squares = norm**2 / max(kept.size - (kept.figures.nonfinite or 0), 1)
    return f"mean {mean:.6g}, sd {max(squares - mean**2, 0.0) ** 0.5:.6g}"
