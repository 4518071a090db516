"""An import that drew from a generator which the script had seeded is told once it has trained."""

import pytest

from keras_repro.runs.run import read_run
from keras_repro.studies.train.moved import moved_by_imports
from tests.unit.made import make_run
from tests.unit.trails import FIRST_LINE, generators


def moved(folder, *links):
    make_run(folder, trail=list(links))
    return moved_by_imports(read_run(folder))


def drew(count, **more):
    link = generators("import jax", drew={"numpy.random": count, "random": 1})
    return {**link, "moved": ["numpy.random"], **more}


@pytest.mark.parametrize(
    ("count", "words"),
    [(10, "drew 10 numbers from"), (1, "drew 1 number from"), (-1, "seeded")],
)
def test_it_is_said_what_it_drew_and_what_to_do(tmp_path, count, words):
    [said] = moved(tmp_path / "run", generators(FIRST_LINE), drew(count))
    assert said.startswith(f"importing jax {words} numpy.random after the script had seeded it")
    assert said.endswith("seed after the imports")


def test_nothing_is_said_where_nothing_was_moved(tmp_path):
    assert moved(tmp_path / "one", drew(10, moved=[])) == []
    assert moved(tmp_path / "two", drew(10, at="model 1 is made")) == []
    make_run(tmp_path / "none")
    assert moved_by_imports(read_run(tmp_path / "none")) == []
    assert moved_by_imports(None) == []
    (tmp_path / "one" / "trail.json").write_text("{")
    assert moved_by_imports(read_run(tmp_path / "one")) == []
