"""Whether a difference matters: with other packages, on other backends, since it was accepted."""

import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.errors import ExitCode, MissingError
from keras_repro.packages.resolve import Move
from keras_repro.project.workload import builtin
from keras_repro.report.ensemble import answers
from keras_repro.report.json_text import SCHEMAS
from keras_repro.runs.ensemble import EnsembleFacts, last_ensemble, write_last
from keras_repro.studies.check import Checked, Place
from keras_repro.studies.ensemble.accept import accept_ensemble
from keras_repro.studies.ensemble.checked import check_ensembles
from keras_repro.studies.ensemble.elsewhere import after_upgrade, on_backends
from keras_repro.studies.upgrade import Previewed, Upgrade
from tests.unit.made import ARRAYS, change_facts, ensemble, spread_out
from tests.unit.studies.train.test_train import MadeUpEngine, good

pytestmark = pytest.mark.long

JAX, TORCH = backends.load()["jax"], backends.load()["torch"]
TEST = "costs/test"
NEW = JAX.model_copy(update={"other_lock": f"{JAX.lock}\n# keras moved\n"})
COUNT = 30


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def costs(shift=0.0, step=1, fixed=False):
    """Return a script whose test cost is normal; ``step`` deals the values out to other seeds."""

    def script(engine, job):
        seed = 0 if fixed else job.workload.conditions.seed
        value = spread_out(COUNT)[seed * step % COUNT] + shift
        ended = good(engine, job, {**ARRAYS, TEST: np.array([value], np.float32)})
        change_facts(job.out, packages={})
        return ended

    return script


def by_lock(new):
    """Return an engine on which the new packages compute what ``new`` does."""
    return MadeUpEngine(jax=lambda e, job: (new if job.backend.other_lock else costs())(e, job))


def followed(titles):
    def follow(title, asked):
        titles.append((title, asked.count))
        return nullcontext()

    return follow


def shown(found):
    console = Console(width=80, record=True, markup=False, force_terminal=True)
    answers.print_answers(console, found)
    return " ".join(console.export_text().split())


def upgraded(place, engine, code=ExitCode.DRIFT, titles=None):
    run = good_run(place, engine)
    previews = [Previewed(place, Checked(JAX, code, run=run))]
    upgrade = Upgrade(JAX, NEW, [], [Move("keras", "3.15.1", "3.16.0")])
    return after_upgrade(
        upgrade, previews, COUNT, engine, followed([] if titles is None else titles)
    )


def good_run(place, engine):
    from keras_repro.studies.trial import try_in

    return try_in(place.of, NEW, engine).run


@pytest.mark.parametrize(
    ("new", "code", "says"),
    [
        (
            costs(step=7),
            ExitCode.OK,
            "Equivalent: the mean of costs/test is within its margin",
        ),
        (costs(shift=3), ExitCode.DRIFT, "Different: chance does not account for costs/test"),
        (costs(), ExitCode.OK, "each of the 30 seeds gives the same numbers on both sides"),
    ],
)
def test_whether_an_upgrade_matters(place, new, code, says):
    titles = []
    found = upgraded(place, by_lock(new), titles=titles)
    assert found["regression"].exit_code is code
    assert says in shown(list(found.values()))
    assert titles == [("regression on jax", 30), ("regression on jax with keras 3.16.0", 30)]
    assert "obtained: regression on jax with keras 3.16.0, 30 seeds" in shown(list(found.values()))
    # The runs of the new packages are no runs of the workload's.
    assert len(list((place.artifacts / "regression/jax.runs").iterdir())) == 30


def test_seeds_of_an_upgrade_are_not_run_again(place):
    engine = by_lock(costs(shift=3))
    upgraded(place, engine)
    ran = len(engine.ran)
    upgraded(place, engine)
    assert len(engine.ran) == ran


def test_an_accepted_ensemble_is_what_is_expected(place):
    accept(place, JAX, spread_out(30))
    engine, titles = by_lock(costs(shift=9)), []
    found = upgraded(place, engine, titles=titles)
    assert found["regression"].exit_code is ExitCode.DRIFT
    assert titles == [("regression on jax with keras 3.16.0", 30)]
    assert "expected: regression on jax, 30 seeds, accepted (" in shown(list(found.values()))


@pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.RUN_FAILED])
def test_no_seeds_where_the_numbers_are_the_same_or_there_are_none(place, code):
    engine = by_lock(costs())
    assert upgraded(place, engine, code) == {}
    assert len(engine.ran) == 1


def test_a_script_that_fixes_every_generator_says_nothing_of_chance(place):
    engine = MadeUpEngine(jax=costs(fixed=True))
    [found] = upgraded(place, engine).values()
    assert found.exit_code is ExitCode.UNDECIDED
    assert "every seed is the same run, bit for bit" in found.problem
    assert "--vary-own-seeds" in found.problem


def test_backends_against_a_reference_that_is_made_once(place):
    engine = MadeUpEngine(jax=costs(), torch=costs(shift=3), tensorflow=costs(step=7))
    others = [TORCH, backends.load()["tensorflow"]]
    found = on_backends(place, JAX, others, COUNT, engine, followed([]))
    assert [(one.backend, one.exit_code) for one in found] == [
        ("torch", ExitCode.DRIFT),
        ("tensorflow", ExitCode.OK),
    ]
    assert engine.ran.count("jax") == COUNT
    assert answers.exit_code(found) is ExitCode.DRIFT


def test_the_workloads_own_primary_scalars_and_margins_count(place):
    of = replace(place.of, primary=("weights/0.dense",), margins={"weights/0.dense": 9.0})
    engine = MadeUpEngine(jax=costs(), torch=costs(step=7))
    [found] = on_backends(replace(place, of=of), JAX, [TORCH], 5, engine, followed([]))
    assert [one.name for one in found.compared.found if one.scalar.primary] == ["weights/0.dense"]
    assert found.compared.found[0].scalar.margin.value == 9.0


def accept(place, backend, values):
    facts = EnsembleFacts.model_validate(ensemble(costs__test=values) | {"backend": backend.name})
    accept_ensemble(place.baseline(backend), facts, "r")


def keep(place, backend, values, **changes):
    document = ensemble(costs__test=values) | {
        "backend": backend.name,
        "seeds": list(range(99, 129)),
    }
    path = last_ensemble(place.artifacts, "regression", backend.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_last(path, EnsembleFacts.model_validate(document | changes))


def test_the_last_ensembles_against_the_accepted_ones(place):
    accept(place, JAX, spread_out(30))
    keep(place, JAX, spread_out(30))
    accept(place, TORCH, spread_out(30))
    keep(place, TORCH, spread_out(30, at=3))
    every = list(backends.load().values())
    found = check_ensembles([(place, every)], named=False)
    assert {one.backend: one.exit_code for one in found} == {
        "jax": ExitCode.OK,
        "torch": ExitCode.DRIFT,
    }
    document = SCHEMAS["equivalents"].model_validate_json(answers.document(found))
    assert (document.exit_code, document.problems) == (1, {})
    assert {one.verdict for one in document.ensembles} == {"different", "equivalent"}
    assert "**Different: chance does not account for costs/test.**" in answers.summary(found)


def test_what_is_missing_is_said_for_each_backend_that_is_named(place):
    accept(place, JAX, spread_out(30))
    found = check_ensembles([(place, [JAX, TORCH])], named=True)
    assert [one.exit_code for one in found] == [ExitCode.MISSING] * 2
    assert "jax.ensemble.json; make it: keras-repro ensemble --backend jax" in found[0].problem
    assert '--backend torch --accept --reason "..."' in found[1].problem
    assert json.loads(answers.document(found))["problems"].keys() == {
        "regression:jax",
        "regression:torch",
    }
    assert "by chance or not?" in shown(found)
    assert "make it" in answers.summary(found)


def test_where_none_is_accepted_it_is_said_how(place):
    with pytest.raises(MissingError, match="no ensemble of regression is accepted; make it"):
        check_ensembles([(place, [JAX])], named=False)


def test_a_script_that_was_changed_since_is_said(place):
    accept(place, JAX, spread_out(30))
    origin = ensemble(costs__test=spread_out(30))["origin"] | {"script_sha256": "0" * 64}
    keep(place, JAX, spread_out(30), origin=origin)
    [found] = check_ensembles([(place, [JAX])], named=True)
    assert found.exit_code is ExitCode.OK
    assert "the script was changed since" in shown([found])


@pytest.mark.parametrize(
    ("seeds", "value", "same"), [(None, None, True), (range(30, 60), None, False), (None, 9, False)]
)
def test_the_same_numbers_of_the_same_seeds_are_no_chance(place, seeds, value, same):
    values = spread_out(30)
    accept(place, JAX, values)
    changed = values.copy()
    changed[3] = changed[3] if value is None else value
    keep(place, JAX, changed, seeds=list(seeds or range(30)))
    [found] = check_ensembles([(place, [JAX])], named=True)
    assert found.compared.found[0].scalar.same is same
    assert ("gives the same numbers on both sides" in shown([found])) is same
