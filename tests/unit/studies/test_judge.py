"""What counts as different: by the tolerances of which baseline."""

import pytest

from keras_repro import backends
from keras_repro.numbers.comparison import Verdict
from keras_repro.project.workload import builtin
from keras_repro.runs.by_class import folder_of_class
from keras_repro.runs.run import last_run
from keras_repro.studies.accept import accept, propose
from keras_repro.studies.check import Place
from keras_repro.studies.judge import BASELINE, baseline_of, judge_of
from tests.unit.made import make_run

KERNEL = "weights/0.dense.kernel"
[JAX] = backends.select(("jax",))
CLASSES = {
    digit: {"version": 1, "digest": digit * 64, "kernels": {"matmul": digit * 16}}
    for digit in "123"
}


@pytest.fixture
def place(tmp_path):
    """A plain baseline of class 1, and one for class 2."""
    place = Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")
    make_run(place.run(JAX), numeric_class=CLASSES["1"])
    accept(place, propose(place, JAX), "plain")
    make_run(place.run(JAX), numeric_class=CLASSES["2"])
    accept(place, propose(place, JAX, for_this_class=True), "of class 2")
    return place


def reason(baseline):
    return baseline.facts.history[-1].reason


@pytest.mark.parametrize(("digit", "expected"), [("1", "plain"), ("2", "of class 2")])
def test_the_baseline_is_that_of_the_runs_class(place, digit, expected):
    make_run(place.run(JAX), numeric_class=CLASSES[digit])
    assert reason(baseline_of(place, JAX)) == expected
    facts = last_run(place.run(JAX)).facts
    make_run(place.run(JAX), numeric_class=CLASSES["3"])
    assert reason(baseline_of(place, JAX, facts)) == expected


def test_without_a_run_it_is_the_plain_one_and_without_any_none(place, tmp_path):
    nowhere = Place(place.of, tmp_path / "no", place.baselines)
    assert reason(baseline_of(nowhere, JAX)) == "plain"
    assert baseline_of(Place(place.of, place.artifacts, tmp_path / "no"), JAX) is None


def test_tolerances_are_those_of_the_class(place):
    own = folder_of_class(place.baseline(JAX), last_run(place.run(JAX)).facts)
    facts = own / "baseline.json"
    facts.write_text(facts.read_text().replace('"rtol": 1e-05', '"rtol": 0.5'))
    run = last_run(place.run(JAX))
    make_run(place.artifacts / "other", {KERNEL: run.arrays[KERNEL].load() * 1.25})
    other = last_run(place.artifacts / "other").all_arrays
    judge = judge_of(place, JAX, BASELINE, (KERNEL,))
    [comparison] = judge.compare(other, run.all_arrays)
    assert (comparison.verdict, judge.differs(comparison)) == (Verdict.CLOSE, False)
