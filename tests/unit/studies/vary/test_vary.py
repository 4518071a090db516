"""Variations with an engine that makes runs without a framework."""

import json

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.errors import ExitCode, RunFailedError, UsageError
from keras_repro.project.workload import builtin
from keras_repro.report.json_text import SCHEMAS
from keras_repro.report.vary import markdown, page, words
from keras_repro.report.vary.document import document
from keras_repro.report.vary.text import print_result
from keras_repro.studies.check import Place
from keras_repro.studies.vary.found import State
from keras_repro.studies.vary.vary import Vary, vary
from tests.unit.made import ARRAYS, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good

COSTS, KERNEL = "costs/train", "weights/0.dense.kernel"
FIRST = "initial_weights/0.dense.kernel"
INITIAL = {FIRST: np.array([[0.5]], np.float32)}
[JAX] = backends.select(("jax",))


def moved(name, by, at=-1):
    arrays = {key: array.copy() for key, array in {**ARRAYS, **INITIAL}.items()}
    arrays[name].reshape(-1)[at] *= np.float32(1 + by)
    return arrays


def script(engine, job):
    """Depend on threads a little, on the time zone much; fail in the locale of C."""
    conditions = job.workload.conditions
    if conditions.environment.get("LC_ALL") == "C":
        make_run(job.out, {}, outcome="failed", reason="UnicodeError: no")
        return Ended(4, "UnicodeError: no")
    arrays = {**ARRAYS, **INITIAL}
    if conditions.threads > 1:
        arrays = moved(COSTS, 1e-6, at=3)
    if conditions.environment.get("TZ") == "EAST-14":
        arrays = moved(KERNEL, 0.5)
    if conditions.ulps:
        arrays = moved(FIRST, 1e-7)
    return good(engine, job, arrays)


@pytest.fixture
def place(tmp_path):
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def run(place, *only, engine=None, jobs=2, script=script, emulated=False):
    engine = engine or MadeUpEngine(jax=script)
    asked = Vary(place, JAX, only, rounding=2, jobs=jobs, emulated=emulated)
    return vary(asked, engine), engine


def states(result):
    return {one.variation.name: one.state for one in result.varied}


def test_what_moves_what_from_which_step_and_by_how_much(place):
    result, _ = run(place, "threads*", "time-zone*", "hash-seed=1", "ulps*")
    assert states(result) == {
        "threads=2": State.MOVED,
        "threads=4": State.MOVED,
        "hash-seed=1": State.SAME,
        "time-zone=+14": State.BEYOND,
        "time-zone=-12": State.SAME,
        "ulps=1": State.SAME,  # the weights that it moves itself do not count
        "ulps=2": State.SAME,
    }
    threads = result.varied[0]
    assert [one.name for one in threads.moved] == [COSTS]
    assert threads.first.first_step == 2
    assert threads.largest == pytest.approx(1e-6, rel=0.1)
    assert result.exit_code is ExitCode.DRIFT


def test_what_stays_within_tolerance_passes(place):
    result, _ = run(place, "threads*")
    assert result.exit_code is ExitCode.OK


def test_the_baselines_tolerances_are_asked(place, keras_repro, tmp_path):
    make_run(tmp_path / "artifacts/regression/jax", {**ARRAYS, **INITIAL})
    done = keras_repro("accept", "--backend", "jax", "--yes", "--reason", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "baselines/regression/jax/baseline.json"
    facts = json.loads(path.read_text())
    facts["tolerances"] = {"*": {"rtol": 1.0, "atol": 0.0}}
    path.write_text(json.dumps(facts))
    result, _ = run(place, "time-zone*")
    assert states(result)["time-zone=+14"] is State.MOVED
    assert result.tolerances == "the baseline's"


def test_a_failed_variation_is_no_pass_and_stops_no_other(place):
    result, _ = run(place, "locale*", "threads=2")
    assert states(result) == {
        "threads=2": State.MOVED,
        "locale=C": State.FAILED,
        "locale=C.UTF-8": State.SAME,
    }
    assert result.exit_code is ExitCode.RUN_FAILED
    assert "UnicodeError" in result.varied[1].problem
    assert words.headline(result).endswith("; 1 variation failed")


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("the script was killed by SIGILL", State.SKIPPED),
        ("RuntimeError: This version of jaxlib was built using AVX instructions", State.SKIPPED),
        ("ValueError: no", State.FAILED),
    ],
)
def test_a_processor_that_the_backend_cannot_use_is_skipped(place, reason, state):
    def needs_avx(engine, job):
        if job.workload.conditions.processor is None:
            return good(engine, job, ARRAYS)
        make_run(job.out, {}, outcome="failed", reason=reason)
        return Ended(4, reason)

    result, _ = run(place, "processor=Nehalem", script=needs_avx, emulated=True)
    [varied] = result.varied
    assert varied.state is state
    assert reason in varied.problem


def test_runs_are_kept_beside_the_last_one_and_not_made_again(place):
    result, engine = run(place, "threads*", "hash-seed*")
    assert len(engine.ran) == 5
    assert not (place.artifacts / "regression/jax").exists()
    kept = sorted(path.name for path in (place.artifacts / "regression/jax.runs").iterdir())
    assert len(kept) == 5
    assert result.base.folder.name in kept
    again, engine = run(place, "threads*", "ulps=1")
    assert len(engine.ran) == 1
    assert [one.known for one in again.varied] == [True, True, False]
    assert states(again)["threads=2"] is State.MOVED


def test_an_interruption_keeps_what_is_done(place):
    def interrupted(engine, job):
        if job.workload.conditions.threads == 4:
            raise KeyboardInterrupt
        return script(engine, job)

    with pytest.raises(KeyboardInterrupt):
        run(place, "threads*", "hash-seed*", script=interrupted, jobs=1)
    result, engine = run(place, "threads*")
    assert len(engine.ran) == 1
    assert [one.known for one in result.varied] == [True, False]


def test_ulps_that_move_nothing_are_skipped(place):
    def loads_its_weights(engine, job):
        return good(engine, job, {**ARRAYS, **INITIAL})

    result, _ = run(place, "ulps*", script=loads_its_weights)
    assert set(states(result).values()) == {State.SKIPPED}
    assert "no weights that could be moved" in words.left_out(result)[0][1]
    assert result.exit_code is ExitCode.OK
    assert "every variation was skipped" in words.headline(result)


def test_without_a_base_there_is_nothing_to_say(place):
    def fails(engine, job):
        make_run(job.out, {}, outcome="failed", reason="ValueError: no")
        return Ended(4, "ValueError: no")

    with pytest.raises(RunFailedError, match="ValueError: no"):
        run(place, script=fails)


def test_a_pattern_that_matches_nothing_is_said_before_anything_runs(place):
    engine = MadeUpEngine(jax=script)
    with pytest.raises(UsageError, match="no variation matches 'nope'"):
        run(place, "threads*", "nope", engine=engine)
    assert not engine.ran


def test_every_report_says_the_same(place, tmp_path):
    only = ("threads*", "time-zone*", "locale*", "isa-numpy*", "ulps*")
    result, _ = run(place, *only)
    console = Console(width=80, record=True, markup=False, force_terminal=True)
    print_result(console, result)
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 80
    for word in ("time-zone=+14", "beyond", "after step 2", "locale=C failed: UnicodeError"):
        assert word in shown
    text = markdown.summary(result)
    assert "time-zone&#61;+14" in text or "time-zone=+14" in text
    found = SCHEMAS["vary"].model_validate_json(document(result))
    assert {one.name: one.result for one in found.variations} == {
        name: state.value for name, state in states(result).items()
    }
    assert found.exit_code == int(ExitCode.RUN_FAILED)
    page.write(tmp_path / "page.html", result)
    html = (tmp_path / "page.html").read_text()
    for word in ("time-zone=+14", "UnicodeError", "Largest relative difference", "What do the"):
        assert word in html


def test_the_document_shows_no_variable_of_the_users_own(place):
    workload = place.of
    conditions = workload.conditions.having(environment={"MY_TOKEN": "hidden"})
    of = type(workload)(**{**vars(workload), "conditions": conditions})
    result, _ = run(Place(of, place.artifacts, place.baselines), "locale=C.UTF-8")
    assert "hidden" not in document(result)
    assert json.loads(document(result))["variations"][0]["changes"] == {
        "environment": {"LC_ALL": "C.UTF-8"}
    }
