"""Calibrating with an engine that makes runs without a framework, which round in known ways."""

import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.errors import (
    DriftError,
    ExitCode,
    MissingError,
    RunFailedError,
    UnreadableError,
)
from keras_repro.project.workload import builtin
from keras_repro.recorder.contract import ArrayName, Kind
from keras_repro.report.vary.progress import VaryDisplay
from keras_repro.runs.baselines import read_baseline
from keras_repro.studies.accept import accept, propose
from keras_repro.studies.calibrate.calibrate import calibrate, write
from keras_repro.studies.calibrate.planted import DECADES
from keras_repro.studies.check import Options, Place, check
from keras_repro.studies.vary.vary import Vary
from keras_repro.studies.verify import verify
from tests.unit.made import make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good

COSTS, KERNEL = "costs/train", "weights/0.dense.kernel"
FIRST, CLASSES = "initial_weights/0.dense.kernel", "predictions/0"
SPREAD = {COSTS: 1e-6, KERNEL: 1e-5}
STEPS = 60
[JAX] = backends.select(("jax",))


def arrays():
    random = np.random.default_rng(1)
    return {
        COSTS: np.linspace(2, 1, STEPS),
        FIRST: random.normal(0, 1, (4, 3)),
        KERNEL: random.normal(0, 1, (4, 3)),
        CLASSES: np.arange(5),
    }


def rounded(conditions, growth=0.0):
    """Return what a run computes: moved in its own way by whatever rounds otherwise."""
    found = arrays()
    key = json.dumps([conditions.ulps, conditions.threads, sorted(conditions.environment.items())])
    if key == json.dumps([0, 1, []]):
        return found
    random = np.random.default_rng(list(key.encode()))
    for name, by in SPREAD.items():
        far = by * np.exp(random.normal(0, 0.5)) * random.uniform(-1, 1, found[name].shape)
        rows = np.arange(len(found[name])).reshape(-1, *[1] * (far.ndim - 1))
        found[name] += far * np.exp(growth * rows * (name == COSTS))
    if conditions.ulps:
        found[FIRST] = np.nextafter(found[FIRST], np.inf)
    return found


def script(engine, job):
    return good(engine, job, rounded(job.workload.conditions))


def planted(engine, job):
    """Have a learning rate move the kernel by a thousandth of what is planted."""
    found = rounded(job.workload.conditions.having(planted={}))
    asked = job.workload.conditions.planted
    where = {}
    if "learning-rate" in asked:
        found[KERNEL] += float(asked["learning-rate"]) / 1000
        where = {"learning-rate": "adam: 1 -> 2"}
    if "epsilon" in asked:
        where = {"epsilon": "bn: 1 -> 2"}
    if float(asked.get("initial-weight", 0)) > 0.05:
        make_run(job.out, {}, outcome="failed", reason="no")
        return Ended(4, "no")
    return good(engine, job, found, planted_in=where)


def chaotic(engine, job):
    return good(engine, job, rounded(job.workload.conditions, growth=0.4))


@pytest.fixture
def place(tmp_path):
    place = Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")
    make_run(place.run(JAX), arrays())
    accept(place, propose(place, JAX), "first")
    return place


def run(place, script=script, rounding=20, plants=True):
    asked = Vary(place, JAX, rounding=rounding, jobs=2, rounds_alone=True)
    return calibrate(asked, MadeUpEngine(jax=script), plants)


def checked(place, changed):
    folder = place.artifacts / "other"
    shutil.rmtree(folder, ignore_errors=True)
    make_run(place.run(JAX), changed)
    [result] = check(place, [JAX])
    return {one.name: one for one in result.comparisons}


def off(name, by, at=0):
    found = arrays()
    found[name].reshape(-1)[at] += by
    return found


def test_what_rounding_does_passes_and_what_is_beyond_does_not(place):
    found = run(place)
    assert write(found, "measured") == ""
    bound = found.facts.envelopes[KERNEL].bounds[0]
    assert 1e-5 < bound < 30e-5
    assert checked(place, off(KERNEL, 0.9 * bound))[KERNEL].verdict == "close"
    beyond = checked(place, off(KERNEL, 3.1 * bound))[KERNEL]
    assert (beyond.verdict, beyond.times) == ("drift", pytest.approx(3.1, rel=0.01))


def test_the_evidence_stands_beside_it_and_the_reason_in_the_history(place):
    before = read_baseline(place.baseline(JAX)).facts
    found = run(place)
    write(found, " measured ")
    facts = read_baseline(place.baseline(JAX)).facts
    assert facts.calibration == found.facts
    assert len(found.facts.variations) > 20
    assert "ulps=1" in found.facts.variations
    assert not any(name.startswith(("hash", "locale")) for name in found.facts.variations)
    assert found.facts.left_out["processor=EPYC"].startswith("it takes ten times")
    assert found.facts.envelopes[KERNEL].by in found.facts.variations
    assert [entry.reason for entry in facts.history] == ["first", "measured"]
    assert facts.arrays_sha256 == before.arrays_sha256
    assert facts.tolerances == before.tolerances
    [verified] = verify([(place, [JAX])])
    assert verified.exit_code == 0


def test_few_false_alarms_on_what_was_held_out(place):
    assert len(run(place, rounding=100).facts.false_alarms) <= 1


def test_the_smallest_planted_change_that_is_caught(place):
    facts = run(place, planted).facts
    bound = facts.envelopes[KERNEL].bounds[0]
    assert facts.caught == {
        "learning-rate": min(size for size in DECADES if size / 1000 > bound),
        "initial-weight": 0.1,  # with which the script fails
        "epsilon": None,
    }
    assert run(place, planted, plants=False).facts.caught == {}


def test_a_line_for_each_change_that_is_planted(place):
    asked = Vary(place, JAX, rounding=8, jobs=2, rounds_alone=True)
    found = calibrate(asked, MadeUpEngine(jax=planted))
    lines = VaryDisplay(Console(), asked).done(len(asked.varied))
    assert lines[0] == "plant=learning-rate=1 caught"
    assert "plant=initial-weight=1 caught: the script fails" in lines
    assert "plant=epsilon=1      not caught" in lines
    smallest = found.facts.caught["learning-rate"]
    assert f"plant=learning-rate={smallest:g}" in [line.split()[0] for line in lines]
    assert not any(line.startswith("plant=datum") for line in lines)  # it has no place for it


def test_a_calibration_that_was_edited_is_noticed(place):
    write(run(place), "measured")
    path = place.baseline(JAX) / "baseline.json"
    facts = json.loads(path.read_text())
    facts["calibration"]["envelopes"][KERNEL]["bounds"] = [1.0]
    path.write_text(json.dumps(facts))
    [verified] = verify([(place, [JAX])])
    assert "other measured tolerances" in verified.parts[1].says


@pytest.mark.parametrize(
    ("starts", "bounds"), [([], []), ([1], [1.0]), ([0, 0], [1.0, 1.0]), ([0], [1.0, 2.0])]
)
def test_bounds_that_make_no_sense_are_none(place, starts, bounds):
    write(run(place), "measured")
    path = place.baseline(JAX) / "baseline.json"
    facts = json.loads(path.read_text())
    facts["calibration"]["envelopes"][KERNEL] |= {"starts": starts, "bounds": bounds}
    path.write_text(json.dumps(facts))
    assert checked(place, off(KERNEL, 1e-5))[KERNEL].times is None


def test_the_next_baseline_keeps_it(place):
    write(run(place), "measured")
    make_run(place.run(JAX), off(KERNEL, 1.0))
    accept(place, propose(place, JAX), "other numbers")
    facts = read_baseline(place.baseline(JAX)).facts
    assert facts.calibration is not None
    assert [entry.reason for entry in facts.history] == ["first", "measured", "other numbers"]
    [verified] = verify([(place, [JAX])])
    assert verified.exit_code == 0


def test_a_chaotic_series_is_judged_up_to_its_horizon(place):
    found = run(place, chaotic)
    horizon = found.facts.envelopes[COSTS].horizon
    assert 10 < horizon < STEPS
    write(found, "measured")
    late = checked(place, off(COSTS, 0.5, at=horizon))[COSTS]
    assert (late.verdict, late.judged) == ("chaotic", horizon)
    early = checked(place, off(COSTS, 0.5, at=3))[COSTS]
    assert (early.verdict, early.first_outside) == ("drift", (3,))


def test_initial_weights_and_integers_stay_exact(place):
    write(run(place), "measured")
    for name, by in ((FIRST, 1e-12), (CLASSES, 1)):
        assert not checked(place, off(name, by))[name].verdict.passes
        assert ArrayName.parse(name).kind in (Kind.INITIAL_WEIGHT, Kind.PREDICTION)


def test_another_computation_than_the_baselines_is_no_rounding(place):
    def other(engine, job):
        found = rounded(job.workload.conditions)
        found[KERNEL] += 0.01
        return good(engine, job, found)

    with pytest.raises(DriftError, match=r"weights/0.dense.kernel is [0-9.]+ times as far"):
        run(place, other)


def test_another_shape_than_the_baselines_is_no_rounding(place):
    def longer(engine, job):
        found = rounded(job.workload.conditions)
        found[COSTS] = np.append(found[COSTS], 1.0)
        return good(engine, job, found)

    with pytest.raises(DriftError, match=r"costs/train: shape with the baseline"):
        run(place, longer)


def test_an_array_whose_shape_rounding_changes_is_said_to_have_no_bound(place):
    def shorter(engine, job):
        found = rounded(job.workload.conditions)
        if job.workload.conditions.ulps == 3:
            found[COSTS] = found[COSTS][:-1]
        return good(engine, job, found)

    assert run(place, shorter).facts.unbounded == {COSTS: "shape with ulps=3"}


def test_where_a_variation_fails_nothing_is_measured(place):
    def failing(engine, job):
        if job.workload.conditions.ulps == 3:
            make_run(job.out, {}, outcome="failed", reason="no")
            return Ended(4, "no")
        return script(engine, job)

    with pytest.raises(RunFailedError, match=r"ulps=3 failed: no; see .*; mend it"):
        run(place, failing)


def test_without_a_baseline_nothing_runs(place):
    shutil.rmtree(place.baselines)
    with pytest.raises(MissingError, match="no baseline"):
        calibrate(Vary(place, JAX, rounds_alone=True), MadeUpEngine())  # which would fail


def test_where_nothing_moves_what_differs_may_be_rounded_and_no_more(place):
    found = run(place, lambda engine, job: good(engine, job, arrays()))
    assert found.facts.variations == []
    assert found.facts.factor is None
    write(found, "measured")
    assert checked(place, off(KERNEL, 1e-16))[KERNEL].verdict == "close"
    assert checked(place, off(KERNEL, 1e-12))[KERNEL].verdict == "drift"


def test_where_few_move_it_is_thirty_times_what_was_seen(place):
    def few(engine, job):
        threads = job.workload.conditions.threads
        return good(engine, job, off(KERNEL, 1e-6 * (threads - 1)))

    found = run(place, few).facts
    assert found.variations == ["threads=2", "threads=4"]
    assert found.factor is None
    assert found.envelopes[KERNEL].bounds == [pytest.approx(90e-6)]
    assert found.false_alarms == {}


def test_a_baseline_that_changed_meanwhile_is_left_alone(place):
    found = run(place)
    accept(place, propose(place, JAX), "meanwhile")
    with pytest.raises(DriftError, match="another keras-repro changed"):
        write(found, "measured")
    assert read_baseline(place.baseline(JAX)).facts.calibration is None


def test_an_edited_baseline_is_not_calibrated(place):
    np.savez(place.baseline(JAX) / "arrays.npz", **off(KERNEL, 1e-6))
    with pytest.raises(UnreadableError, match="not the file that was accepted"):
        run(place)


def test_what_is_asked_of_check_goes_before_what_was_measured(place):
    write(run(place), "measured")
    make_run(place.run(JAX), off(KERNEL, 1e-3))
    assert check(place, [JAX])[0].exit_code == ExitCode.DRIFT
    assert check(place, [JAX], Options(atol=1e-2))[0].exit_code == ExitCode.OK
