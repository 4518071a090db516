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
        if not _is_caught(asked, name, DECADES[-1], largest, expected, allowed):
            found[name] = None
            continue
        low, high = 0, len(DECADES) - 1
        while low < high:
            middle = (low + high) // 2
            run = _planted(asked, name, DECADES[middle], engine)
            if _is_caught(asked, name, DECADES[middle], run, expected, allowed):
                high = middle
            else:
                low = middle + 1
        found[name] = DECADES[high]
    return found


def _planted(asked: Vary, name: str, size: float, engine: Engine) -> Run | None:
    """Return the run with a planted change; None where the script fails with it."""
    value = f"{size:g}"
    variation = Variation(_name(name, size), "plants", {"planted": {name: value}})
    done = train_under(asked, variation, engine)
    if done.exit_code == ExitCode.RUN_FAILED:
        return None
    if done.problem or done.run is None:
        error = RunFailedError(f"with {name} times 1 + {value}: {done.problem or 'it left no run'}")
        error.exit_code = done.exit_code or ExitCode.RUN_FAILED
        raise error
    return done.run


def _name(name: str, size: float) -> str:
    return f"plant={name}={size:g}"


def _is_caught(
    asked: Vary,
    name: str,
    size: float,
    run: Run | None,
    expected: Mapping[str, Kept],
    allowed: Callable[[str], Tolerance],
) -> bool:
    """Return whether a planted change is caught, and say so in ``asked``."""
    if run is None:
        caught, what = True, "caught: the script fails"
    elif name not in run.facts.planted_in:
        caught, what = False, "too small to be another number"
    else:
        comparisons = compare_stored(run.all_arrays, expected, allowed)
        caught = not all(comparison.verdict.passes for comparison in comparisons)
        what = "caught" if caught else "not caught"
    asked.planted.append((_name(name, size), what))
    return caught
