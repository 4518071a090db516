"""Each study names the first link in its own words for the two sides."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.errors import ExitCode
from keras_repro.project.workload import builtin
from keras_repro.pytest_plugin import _difference
from keras_repro.recorder import contract
from keras_repro.report.bisect import page
from keras_repro.report.bisect.text import print_bisection, summary
from keras_repro.report.parity.text import trajectory
from keras_repro.report.train import print_trained
from keras_repro.report.upgrade import print_previews
from keras_repro.runs.run import read_run
from keras_repro.studies import judge
from keras_repro.studies.bisect.run import bisect
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.bisect.searchable import Unit
from keras_repro.studies.check import Place, check_run
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides
from keras_repro.studies.judge import Judge
from keras_repro.studies.parity.study import Pair
from keras_repro.studies.prune import Kept
from keras_repro.studies.trial import Trial
from keras_repro.studies.upgrade import Previewed
from tests.unit.commands.test_trail import DATA, story
from tests.unit.made import changed, make_run
from tests.unit.studies.bisect.test_run import Numbers
from tests.unit.studies.train.test_train import MadeUpEngine, good, plan, train
from tests.unit.trails import links, with_change

JAX = backends.load()["jax"]
DREW = "importing jax drew 10 words from numpy.random (none {})"
ENGINE = SimpleNamespace(name="local", stop=lambda: None)


def printed(show, *arguments, **options):
    text = StringIO()
    show(Console(file=text, width=300), *arguments, **options)
    return text.getvalue()


def scripts(*each):
    """Return a script that leaves these arrays and links, run after run."""
    left = list(each)

    def script(engine, job):
        arrays, trail = left.pop(0)
        good(engine, job, arrays)
        facts = read_run(job.out).facts.model_dump(mode="json")
        make_run(job.out, arrays, trail, **{k: facts[k] for k in facts if "arrays" not in k})
        return Ended(0, "")

    return script


SAME, OTHER = (changed("costs/train", 1), links()), (changed("costs/train", 2), story())


def test_runs_that_are_repeated_are_called_by_their_number(tmp_path):
    engine = MadeUpEngine(jax=scripts(SAME, SAME, OTHER))
    results = train(plan(tmp_path, "jax", repeat=3), engine)
    text = printed(print_trained, results)
    assert f"first link that differs: {DATA}; {DREW.format('in run 1')}" in text
    assert "run 3 parts from run 1" in text


def test_a_rerun_that_parts_names_where(tmp_path):
    engine = MadeUpEngine(jax=scripts(SAME, SAME, OTHER))
    for _ in range(2):
        results = train(plan(tmp_path, "jax"), engine)
        assert "first link" not in printed(print_trained, results)
    text = printed(print_trained, train(plan(tmp_path, "jax"), engine))
    assert f"first link that differs: {DATA}; {DREW.format('in the run before it')}" in text


@pytest.mark.parametrize(
    ("unit", "before"),
    [(Unit.RELEASE, "with jax 1"), (Unit.DAY, "on 1"), (Unit.COMMIT, "at 1")],
)
@pytest.mark.parametrize("every", [False, True])
def test_a_search_names_where_the_numbers_part(tmp_path, monkeypatch, unit, before, every):
    of = Numbers([1.0, 1.0, 2.0], every=every)
    of.range = replace(of.range, unit=unit, name="jax")

    def made(workload, backend, engine, progress):
        at = int(backend.title)
        arrays, trail = SAME if at < 2 else OTHER
        # Another release may round otherwise.
        folder = make_run(tmp_path / backend.title, arrays, trail, packages={"jax": str(at)})
        return Trial(backend, read_run(folder))

    monkeypatch.setattr(judge, "try_in", made)
    result = bisect(Search(of, Judge(None)), ENGINE)
    said = f"first link that differs: {DATA}; {DREW.format(before)}"
    assert said in printed(print_bisection, result, Kept(0, 0, 0))
    assert f"- {said}" in summary(result, ENGINE)
    assert "the initial weights, or the first data" not in summary(result, ENGINE)
    page.write(tmp_path / "page.html", result, ENGINE)
    assert f'<p class="steps">{said}.</p>' in (tmp_path / "page.html").read_text()


def test_parity_says_it_of_backends(tmp_path):
    make_run(tmp_path / "jax", trail=story())
    make_run(tmp_path / "torch", trail=links())
    runs = [read_run(tmp_path / name) for name in ("jax", "torch")]
    found = trace_of(*runs, Sides("on torch", "on jax"))
    pair = Pair(*backends.select(("jax", "torch")), ExitCode.OK, trace=found)
    assert trajectory(pair) == [
        f"first link that differs: {DATA}; importing jax drew nothing from numpy.random "
        "(10 words on jax)"
    ]
    assert trajectory(replace(pair, trace=None)) == []


def trace_of(expected, obtained, sides):
    differing = [SimpleNamespace(name="predictions/0", verdict=SimpleNamespace(passes=False))]
    return traced(obtained, expected, differing, sides)


@pytest.fixture
def place(tmp_path, keras_repro):
    make_run(tmp_path / "artifacts" / "regression" / "jax", *SAME)
    done = keras_repro("accept", "--backend", "jax", "--reason", "r", "--yes")
    assert done.returncode == 0
    workload = builtin("regression", "")
    return Place(workload, tmp_path / "artifacts", tmp_path / "baselines")


def test_the_failure_of_a_test_names_it(place, tmp_path):
    run = read_run(make_run(tmp_path / "other", *OTHER))
    assert STORY_TOLD in " ".join(_difference(place, JAX, run, exact=False).split())


def test_the_preview_of_an_upgrade_names_it(place, tmp_path):
    run = read_run(make_run(tmp_path / "other", *OTHER))
    previews = [Previewed(place, check_run(place, JAX, run))]
    assert STORY_TOLD in printed(print_previews, previews)


def test_a_preview_and_a_test_say_that_the_baseline_keeps_no_trail(place, tmp_path):
    folder = tmp_path / "baselines" / "regression" / "jax"
    path = folder / "baseline.json"
    path.write_text(path.read_text().replace('"trail_sha256"', '"another"'))
    (folder / contract.TRAIL).unlink()
    run = read_run(make_run(tmp_path / "other", *OTHER))
    previews = [Previewed(place, check_run(place, JAX, run))]
    assert "the baseline of jax keeps no trail" in printed(print_previews, previews)
    assert "the baseline of jax keeps no trail" in _difference(place, JAX, run, exact=False)


STORY_TOLD = f"first link that differs: {DATA}; {DREW.format('in the baseline')}"


def test_a_damaged_trail_tells_nothing_and_says_so(tmp_path):
    for name in ("a", "b"):
        make_run(Path(tmp_path / name), trail=with_change(links(), 6))
    (tmp_path / "a" / contract.TRAIL).write_text("[")
    runs = [read_run(tmp_path / name) for name in ("a", "b")]
    for order in (runs, runs[::-1]):
        found = trace_of(*order, Sides())
        assert found.first is None
        assert "trail.json is damaged" in found.problem
