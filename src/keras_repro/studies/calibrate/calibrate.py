"""Measure how far rounding and other processors move the numbers; make that the tolerances."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from keras_repro.engines import Engine
from keras_repro.errors import DriftError, RunFailedError, UnreadableError, gravest
from keras_repro.numbers import spread
from keras_repro.numbers.differences import Array
from keras_repro.runs import by_class
from keras_repro.runs.baselines import (
    Baseline,
    edited_message,
    environment,
    past,
    read_baseline,
)
from keras_repro.runs.calibration import CalibrationFacts, EnvelopeFacts
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.costs import final_cost
from keras_repro.runs.run import Run
from keras_repro.runs.write_baseline import write_calibration
from keras_repro.studies.calibrate.measured import Measured, measure
from keras_repro.studies.calibrate.planted import smallest_caught
from keras_repro.studies.vary.found import Result, State
from keras_repro.studies.vary.variations import ROUNDING
from keras_repro.studies.vary.vary import BASE, Vary, vary

STORED = "the baseline"  # among the runs that are measured


@dataclass(frozen=True)
class Calibration:
    """What a calibration found, before it is written into the baseline in ``folder``."""

    varied: Result
    folder: Path
    baseline: Baseline
    facts: CalibrationFacts


def calibrate(asked: Vary, engine: Engine, plants: bool = True) -> Calibration:
    """Run the variations that round otherwise; return what each array may be off by.

    With ``plants``, also which planted changes that catches.

    Raises:
        MissingError, UnreadableError: there is no baseline, or it was edited.
        DriftError: this machine's own run is further from it than rounding takes any.
        RunFailedError: a variation failed; its exit code is that one's.
        UnavailableError, StoppedError: as vary does.
    """
    plain = asked.place.baseline(asked.backend)
    read_baseline(by_class.choose(plain, None).folder)  # before minutes of runs without one
    result = vary(asked, engine)
    folder = by_class.choose(plain, result.base.facts).folder
    baseline = read_baseline(folder)
    if baseline.edited:
        raise UnreadableError(f"nothing was calibrated: {edited_message(baseline)}")
    if failed := result.of(State.FAILED):
        names = ", ".join(one.variation.name for one in failed)
        error = RunFailedError(
            f"nothing was calibrated: {names} failed: {failed[0].problem}; mend it, or name the "
            "variations to measure by with --only"
        )
        error.exit_code = gravest([one.exit_code for one in failed])
        raise error
    runs = {BASE.name: result.base} | {
        one.variation.name: one.run
        for one in result.varied
        if one.run is not None and one.state is not State.SKIPPED
    }
    rounding = {v.variation.name for v in result.varied if v.variation.factor == ROUNDING}
    _check_same(runs, rounding, baseline, result)
    measured, unbounded = measure(runs, rounding, baseline.all_arrays)
    left_out = {one.variation.name: one.problem for one in result.of(State.SKIPPED)}
    facts = _facts(list(runs), measured, unbounded, left_out, baseline)
    if plants:
        allowed = baseline.with_calibration(facts).tolerance_of
        caught = smallest_caught(asked, baseline.all_arrays, allowed, engine)
        facts = facts.model_copy(update={"caught": caught})
    return Calibration(result, folder, baseline, facts)


def write(calibration: Calibration, reason: str) -> str:
    """Write the bounds into the baseline, with the evidence and the reason; under its lock.

    Returns what is to be said of the old baseline where it could not be removed.

    Raises:
        CannotWriteError: it cannot be written; what stood there is untouched.
        DriftError: it is not the baseline any more that was calibrated.
    """
    before = calibration.baseline
    now = read_baseline(calibration.folder)
    if now.facts != before.facts or now.edited:
        raise DriftError(
            f"nothing was calibrated: another keras-repro changed {calibration.folder} meanwhile; "
            "calibrate again"
        )
    entry = HistoryEntry(
        accepted=datetime.now(UTC).isoformat(timespec="seconds"),
        reason=reason.strip(),
        environment=environment(calibration.varied.base.facts),
        only=[],
        final_cost=final_cost(before.arrays),
        changed_facts=[],
        changes=[],
    )
    history = [*past(before.facts, before), entry]
    return write_calibration(before, calibration.facts, history)


def _check_same(
    runs: Mapping[str, Run], rounding: set[str], baseline: Baseline, result: Result
) -> None:
    """Raise DriftError where the baseline is further from this machine's run than rounding goes."""
    base = result.base.all_arrays
    _, missing = measure({STORED: baseline}, set(), base)
    problem = next((f"{name}: {why}" for name, why in missing.items()), "")
    if not problem:
        measured, _ = measure({**runs, STORED: baseline}, rounding, base)
        names = [*runs, STORED]
        moving, _ = _groups(list(runs), measured)
        mask = np.isin(names, moving)
        times = {n: one.beyond(len(runs), one.bounds(mask)) for n, one in measured.items()}
        worst = max(times, key=lambda name: times[name], default="")
        if not worst or times[worst] <= 1:
            return
        problem = f"{worst} is {times[worst]:.3g} times as far as rounding may take it"
    command = result.place.command("check", result.backend)
    raise DriftError(
        f"nothing was calibrated: the present run is not that of the baseline: {problem}; look "
        f"({command}), and accept it or find out why"
    )


def _facts(
    names: list[str],
    measured: Mapping[str, Measured],
    unbounded: dict[str, str],
    left_out: dict[str, str],
    baseline: Baseline,
) -> CalibrationFacts:
    moving, alike = _groups(names, measured)
    every = np.isin(names, moving)
    envelopes = {name: _envelope(one, every, names) for name, one in measured.items()}
    return CalibrationFacts(
        arrays_sha256=baseline.facts.arrays_sha256,
        variations=moving,
        alike=[name for name in alike if name != BASE.name],
        left_out=left_out,
        content=spread.CONTENT,
        confidence=spread.CONFIDENCE,
        factor=spread.factor(len(moving)) if len(moving) >= spread.FEWEST else None,
        false_alarms=_false_alarms(names, moving, measured),
        unbounded=unbounded,
        envelopes=envelopes,
    )


def _envelope(one: Measured, every: Array, names: list[str]) -> EnvelopeFacts:
    found = one.bounds(every)
    furthest = one.distances.max(axis=1)
    at = int(furthest.argmax())
    return EnvelopeFacts(
        starts=list(found.starts),
        bounds=[bound if np.isfinite(bound) else None for bound in found.bounds],
        rtol=found.rtol,
        moved=float(furthest[at]),
        by=names[at] if furthest[at] else None,
        size=float(one.sizes.max(initial=0.0)),
    )


def _groups(names: list[str], measured: Mapping[str, Measured]) -> tuple[list[str], list[str]]:
    """Return the runs that move numbers, each in its own way, and all others.

    Of several that move them alike the first is taken: they are one way of rounding.
    """
    each = [
        b"".join(one.distances[at].tobytes() for one in measured.values())
        for at in range(len(names))
    ]
    known = {bytes(len(each[0]))}  # not a bit moved
    moving, alike = list[str](), list[str]()
    for name, key in zip(names, each, strict=True):
        (alike if key in known else moving).append(name)
        known.add(key)
    return moving, alike


def _false_alarms(
    names: list[str], moving: list[str], measured: Mapping[str, Measured]
) -> dict[str, str]:
    """Return {run: array} of those that are beyond the bounds which all others give."""
    alarms = {}
    for held_out in moving:
        others = np.isin(names, [name for name in moving if name != held_out])
        at = names.index(held_out)
        for name, one in measured.items():
            if one.beyond(at, one.bounds(others)) > 1:
                alarms[held_out] = name
                break
    return alarms
