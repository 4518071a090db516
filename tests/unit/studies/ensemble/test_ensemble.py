"""Many seeds, with an engine that makes runs without a framework."""

import json

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.errors import (
    CannotWriteError,
    DriftError,
    ExitCode,
    RunFailedError,
    UnavailableError,
    UnreadableError,
    UsageError,
)
from keras_repro.project.workload import builtin
from keras_repro.report.ensemble.text import print_ensemble
from keras_repro.report.ensemble.words import same_for_all
from keras_repro.runs.ensemble import accepted, content_sha256, read_ensemble, write_last
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.accept import accept_ensemble, check_acceptable
from keras_repro.studies.ensemble.ensemble import Asked, ensemble
from keras_repro.studies.ensemble.scalars import chosen, primary_of, scalars_of
from tests.unit.made import ARRAYS, InMemory, change_facts, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good, unavailable
from tests.unit.trails import array, data, generators, state, told

[JAX] = backends.select(("jax",))
TEST = "costs/test"


def trail(seed, fixed=True):
    """Return the trail of a script that seeds NumPy for its data, and not its weights."""
    of_data = "x" if fixed else ("x", seed)
    numpy = state("n") if fixed else state("n", seed)
    return [
        generators(
            "the script's first line", **{"numpy.random": state(seed), "random": state(seed)}
        ),
        generators("import keras", **{"numpy.random": numpy, "random": state(seed)}),
        {
            "kind": "initial weights",
            "model": 1,
            "step": 0,
            "weights": {"0.dense.kernel": told(array("w", seed))},
        },
        data("x", array(of_data)),
    ]


def script(engine, job):
    """Have another test cost with each seed."""
    seed = job.workload.conditions.seed
    arrays = {**ARRAYS, TEST: np.array([1 + np.random.RandomState(seed).normal()], np.float32)}
    return good(engine, job, arrays, trail=trail(seed))


@pytest.fixture
def place(tmp_path):
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def run(place, count=5, script=script, jobs=2, **more):
    engine = MadeUpEngine(jax=script)
    return ensemble(Asked(place, JAX, count, jobs, **more), engine), engine


def shown(result):
    console = Console(width=80, record=True, markup=False, force_terminal=True)
    print_ensemble(console, result)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    return " ".join(text.split())


def test_a_scalar_of_each_seed(place):
    result, engine = run(place)
    facts = result.facts
    assert facts.seeds == [1337, 1338, 1339, 1340, 1341]
    assert len(engine.ran) == 5
    of_each = [1 + np.random.RandomState(seed).normal() for seed in facts.seeds]
    test = facts.scalars[TEST]
    assert test.values == pytest.approx(of_each, rel=1e-6)
    assert test.primary
    assert test.margin.value == pytest.approx(np.std(of_each, ddof=1), rel=1e-6)
    assert not facts.scalars["weights/0.dense"].primary
    assert result.exit_code is ExitCode.OK
    assert "costs/test yes" in shown(result)


def test_nothing_is_run_twice(place):
    run(place, 4)
    result, engine = run(place, 6)
    assert len(engine.ran) == 2
    assert [one.known for one in result.seeds] == [True] * 4 + [False] * 2
    assert "6 seeds, 4 of them known from before" in shown(result)
    assert not (place.artifacts / "regression/jax").exists()
    assert len(list((place.artifacts / "regression/jax.runs").iterdir())) == 6


def test_every_seed_has_the_same_hash_seed(place):
    seen = []

    def noted(engine, job):
        conditions = job.workload.conditions
        seen.append((conditions.seed, conditions.hash_seed))
        return script(engine, job)

    run(place, 3, script=noted)
    assert sorted(seen) == [(1337, 1337), (1338, 1337), (1339, 1337)]


def test_what_was_the_same_is_said_and_why(place):
    result, _ = run(place)
    assert result.alike.data == ["x of fit"]
    assert result.alike.initial_weights is False
    assert [(one.place, one.what) for one in result.alike.seedings] == [
        ("regression.py:10", "NumPy")
    ]
    said = same_for_all(result)
    assert "the data are the same for all 5 seeds, since" in said
    assert "regression.py:10 seeds NumPy; initial weights differ" in said
    assert result.facts.alike == ["data: x of fit"]


def test_other_data_with_each_seed(place):
    def other(engine, job):
        seed = job.workload.conditions.seed
        arrays = {**ARRAYS, TEST: np.array([seed], np.float32)}
        return good(engine, job, arrays, trail=trail(seed, fixed=False))

    result, _ = run(place, script=other)
    assert same_for_all(result) == "the data are others for each seed; initial weights differ"


def test_without_trails_nothing_is_said_to_be_the_same(place):
    def bare(engine, job):
        seed = job.workload.conditions.seed
        return good(engine, job, {**ARRAYS, TEST: np.array([seed], np.float32)})

    result, _ = run(place, script=bare)
    assert same_for_all(result) == "what the seeds were trained with is not known"


def test_one_run_again_and_again_is_no_ensemble(place):
    def fixed(engine, job):
        return good(engine, job, trail=trail(0))

    result, engine = run(place, 30, script=fixed)
    assert len(engine.ran) == 3  # more would be the same
    assert result.facts is None
    assert "3 of 30 seeds, tried first, are the same run, bit for bit" in shown(result)
    assert "--vary-own-seeds" in same_for_all(result)
    with pytest.raises(DriftError, match="every seed is the same run"):
        check_acceptable(result)


def test_a_seed_that_fails_has_no_number_and_stops_no_other(place):
    def fails(engine, job):
        if job.workload.conditions.seed == 1339:
            make_run(job.out, {}, outcome="failed", reason="ValueError: no")
            return Ended(4, "ValueError: no")
        return script(engine, job)

    result, _ = run(place, script=fails)
    assert result.exit_code is ExitCode.RUN_FAILED
    assert list(result.facts.failed) == ["1339"]
    assert np.isnan(result.facts.scalars[TEST].values[2])
    assert "seed 1339 failed: ValueError: no" in shown(result)


@pytest.mark.parametrize("leaves", [True, False])
def test_a_seed_that_is_ended_from_outside_has_no_numbers_and_is_not_accepted(place, leaves):
    def ended(engine, job):
        if job.workload.conditions.seed != 1339:
            return script(engine, job)
        if leaves:
            reason = "it ran for longer than its limit of 9 s"
            make_run(job.out, {}, outcome="failed", reason=reason)
            return Ended(4, reason)
        return Ended(137, "killed")

    result, _ = run(place, script=ended)
    assert result.exit_code is ExitCode.RUN_FAILED
    assert list(result.facts.failed) == ["1339"]
    assert np.isnan(result.facts.scalars[TEST].values[2])
    with pytest.raises(RunFailedError, match="seed 1339 was ended from outside"):
        check_acceptable(result)


def test_a_run_that_cannot_be_read_is_no_failure_of_the_script(place):
    def unreadable(engine, job):
        raise UnreadableError("a disk is broken")

    with pytest.raises(UnreadableError, match="seed 1337: a disk is broken"):
        run(place, script=unreadable, jobs=1)


def test_a_seed_that_diverges_is_one_without_a_number_and_no_failure(place):
    def diverges(engine, job):
        if job.workload.conditions.seed == 1339:
            return good(engine, job, {**ARRAYS, TEST: np.array([np.nan], np.float32)})
        return script(engine, job)

    result, _ = run(place, script=diverges)
    assert result.exit_code is ExitCode.OK
    assert not result.facts.failed
    assert np.isnan(result.facts.scalars[TEST].values[2])
    again, engine = run(place, script=diverges)
    assert not engine.ran
    assert content_of(again) == content_of(result)


def content_of(result):
    return {name: str(scalar.values) for name, scalar in result.facts.scalars.items()}


def test_where_every_seed_fails_there_is_none(place):
    def fails(engine, job):
        make_run(job.out, {}, outcome="failed", reason="ValueError: no")
        return Ended(4, "ValueError: no")

    with pytest.raises(RunFailedError, match="every seed fails, the first with: ValueError: no"):
        run(place, script=fails)


def test_an_engine_that_goes_away_ends_it(place):
    with pytest.raises(UnavailableError, match="seed 1337: no such thing here"):
        run(place, script=unavailable, jobs=1)


def test_an_interruption_keeps_what_is_done(place):
    def interrupted(engine, job):
        if job.workload.conditions.seed == 1341:
            raise KeyboardInterrupt
        return script(engine, job)

    with pytest.raises(KeyboardInterrupt):
        run(place, script=interrupted, jobs=1)
    _, engine = run(place)
    assert len(engine.ran) == 1


def test_what_counts_and_by_how_much_is_the_users(place):
    result, _ = run(place, primary=("weights/*",), margins={"*/test": 0.25})
    facts = result.facts
    assert [name for name, one in facts.scalars.items() if one.primary] == ["weights/0.dense"]
    assert facts.scalars[TEST].margin.value == 0.25
    assert facts.scalars[TEST].margin.deviations is None


@pytest.mark.parametrize("more", [{"primary": ("nope",)}, {"margins": {"nope": 1.0}}])
def test_a_name_that_matches_nothing_is_said_before_all_are_run(place, more):
    engine = MadeUpEngine(jax=script)
    with pytest.raises(UsageError, match="no scalar matches 'nope'; there are costs/test"):
        ensemble(Asked(place, JAX, 9, 1, **more), engine)
    assert len(engine.ran) == 3


def test_it_is_kept_beside_the_baseline_with_its_history(place, tmp_path):
    result, _ = run(place)
    folder = place.baseline(JAX)
    folder.mkdir(parents=True)
    (folder / "baseline.json").write_text("{}")
    accept_ensemble(folder, check_acceptable(result), "first ")
    kept = accepted(folder)
    assert (kept.reason, len(kept.history)) == ("first", 1)
    assert not kept.edited
    assert (folder / "baseline.json").read_text() == "{}"
    more, _ = run(place, 7)
    accept_ensemble(folder, check_acceptable(more), "second")
    kept = accepted(folder)
    assert [entry.reason for entry in kept.history] == ["first", "second"]
    assert kept.history[1].previous
    assert kept.seeds == more.facts.seeds
    assert (folder / "ensemble.json").stat().st_size < 20_000
    path = folder / "ensemble.json"
    edited = json.loads(path.read_text())
    edited["workload"] = "another"
    path.write_text(json.dumps(edited))
    assert accepted(folder).edited


def test_what_a_later_version_adds_is_no_edit(place):
    result, _ = run(place)
    path = place.artifacts / "later.json"
    write_last(path, result.facts)
    document = json.loads(path.read_text())
    digest = content_sha256(read_ensemble(path))
    assert digest == content_sha256(result.facts)
    document["scalars"][TEST]["added"] = {"by": "a later version"}
    path.write_text(json.dumps(document))
    assert content_sha256(read_ensemble(path)) != digest


def test_no_link_is_written_through(place, tmp_path):
    result, _ = run(place)
    (tmp_path / "target").write_text("mine")
    path = place.artifacts / "link.json"
    path.symlink_to(tmp_path / "target")
    with pytest.raises(CannotWriteError, match="it is a link"):
        write_last(path, result.facts)
    assert (tmp_path / "target").read_text() == "mine"


def test_scalars_that_are_taken():
    arrays = {
        "costs/train": np.arange(10.0, 0, -1),
        "weights/0.dense.kernel": np.array([[3.0]]),
        "weights/0.dense.bias": np.array([4.0]),
        "predictions/0": np.array([1.0, 1.0]),
        "predictions/1": np.array([1.0, 3.0]),
        "metrics/test.mae": np.array([2.0, 7.0]),
        "history/0.val_loss": np.array([2.0, 8.0]),
        "history/0.loss": np.array([2.0, 9.0]),
        "model2/costs/test": np.array([5.0]),
        "initial_weights/0.dense.bias": np.array([4.0]),
        "mine": np.array([4.0]),
    }
    found = scalars_of({name: InMemory(value) for name, value in arrays.items()})
    assert found == pytest.approx(
        {
            "model2/costs/test": 5,
            "metrics/test.mae": 7,
            "history/0.val_loss": 8,
            "costs/train": 1,
            "costs/train@10%": 10,
            "costs/train@25%": 8,
            "costs/train@50%": 6,
            "predictions/1": 1,
            "weights/0.dense": 5,
        }
    )
    assert list(found)[:2] == ["model2/costs/test", "metrics/test.mae"]
    assert primary_of(found) == ["model2/costs/test", "metrics/test.mae"]
    assert primary_of(["history/0.val_loss", "costs/train"]) == ["history/0.val_loss"]
    assert primary_of(["costs/train@10%", "costs/train"]) == ["costs/train"]
    assert primary_of(["weights/0"]) == []


def test_at_most_twenty_are_kept_the_ones_that_count_first():
    names = [f"weights/{n}" for n in range(30)]
    kept = chosen(names, ["weights/29"])
    assert len(kept) == 20
    assert kept[0] == "weights/29"


def test_what_is_not_finite_is_no_norm():
    arrays = {"weights/0.dense.kernel": InMemory(np.array([1.0, np.inf]))}
    assert np.isnan(scalars_of(arrays)["weights/0.dense"])


def test_the_largest_numbers_there_are(place):
    def large(engine, job):
        sign = 1 if job.workload.conditions.seed % 2 else -1
        return good(engine, job, {**ARRAYS, TEST: np.array([sign * 1e100])}, trail=trail(sign))

    result, _ = run(place, script=large)
    assert result.facts.scalars[TEST].margin.value == pytest.approx(1.095e100, rel=0.01)


def on_classes(count):
    """Return a script that so many machines run in turn, each of another numeric class."""

    def elsewhere(engine, job):
        ended = script(engine, job)
        number = job.workload.conditions.seed % count
        found = {"version": 1, "digest": str(number) * 64, "kernels": {"matmul": "1" * 16}}
        change_facts(job.out, numeric_class=found)
        return ended

    return elsewhere


@pytest.mark.parametrize("classes", [1, 2])
def test_machines_of_several_numeric_classes_are_said(place, classes):
    result, _ = run(place, script=on_classes(classes))
    said = "run on machines of 2 numeric classes (2 on 000000000000, 3 on 111111111111)"
    assert (said in shown(result)) is (classes == 2)


def test_the_seeds_of_one_numeric_class_alone(place):
    whole, _ = run(place, script=on_classes(2))
    result, _ = run(place, script=on_classes(2), one_class=True)
    assert result.facts.seeds == [1337, 1339, 1341]
    assert [one.seed for one in result.others] == [1338, 1340]
    values = whole.facts.scalars[TEST].values
    assert result.facts.scalars[TEST].values == values[::2]
    said = "(2 on 000000000000, 3 on 111111111111): the 3 of the one that made most are taken, and"
    assert said in shown(result)


@pytest.mark.parametrize("script", [script, on_classes(1)])
def test_where_there_is_one_numeric_class_or_none_is_known_all_are_taken(place, script):
    result, _ = run(place, script=script, one_class=True)
    assert (result.others, len(result.facts.seeds)) == ([], 5)
