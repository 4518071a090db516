"""The smallest planted change that the bounds catch: what they let through is smaller."""

from collections.abc import Callable, Mapping

from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, RunFailedError
from keras_repro.numbers.differences import Tolerance
from keras_repro.recorder.contract import PLANTS
from keras_repro.runs.run import Run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.check import compare_stored
from keras_repro.studies.vary.variations import Variation
from keras_repro.studies.vary.vary import Vary, train_under

DECADES = tuple(10.0**-power for power in range(7, -1, -1))  # the sizes that are tried
Caught = dict[str, float | None]
"""For each plant the smallest size that is caught, None where not even the largest is."""


def smallest_caught(
    asked: Vary,
    expected: Mapping[str, Kept],
    allowed: Callable[[str], Tolerance],
    engine: Engine,
) -> Caught:
    """Plant changes, each larger or smaller than the last; return what the bounds catch.

    A plant for which the training has no place, an epsilon without batch normalization say, is
    left out. A larger change is taken to be caught where a smaller one is, and one with which the
    script fails is caught.

    Raises:
        RunFailedError: a run could not be made; with the exit code of that.
    """
    found: Caught = {}
    for name in PLANTS:
        largest = _planted(asked, name, DECADES[-1], engine)
        if largest is not None and name not in largest.facts.planted_in:
            continue
        if _passes(largest, expected, allowed):
            found[name] = None
            continue
        low, high = 0, len(DECADES) - 1
        while low < high:
            middle = (low + high) // 2
            run = _planted(asked, name, DECADES[middle], engine)
            # One that is too small to be another number is planted nowhere.
            made = run is None or name in run.facts.planted_in
            if made and not _passes(run, expected, allowed):
                high = middle
            else:
                low = middle + 1
        found[name] = DECADES[high]
    return found


def _planted(asked: Vary, name: str, size: float, engine: Engine) -> Run | None:
    """Return the run with a planted change; None where the script fails with it."""
    value = f"{size:g}"
    variation = Variation(f"plant={name}={value}", "plants", {"planted": {name: value}})
    done = train_under(asked, variation, engine)
    if done.exit_code == ExitCode.RUN_FAILED:
        return None
    if done.problem or done.run is None:
        error = RunFailedError(f"with {name} times 1 + {value}: {done.problem or 'it left no run'}")
        error.exit_code = done.exit_code or ExitCode.RUN_FAILED
        raise error
    return done.run


def _passes(
    run: Run | None, expected: Mapping[str, Kept], allowed: Callable[[str], Tolerance]
) -> bool:
    if run is None:
        return False
    comparisons = compare_stored(run.all_arrays, expected, allowed)
    return all(comparison.verdict.passes for comparison in comparisons)
