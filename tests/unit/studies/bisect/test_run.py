"""The search knows nothing but the protocol: here it searches numbers that nobody trains."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_repro import backends
from keras_repro.errors import RunFailedError, UsageError
from keras_repro.project.workload import builtin
from keras_repro.runs.run import read_run
from keras_repro.studies import judge
from keras_repro.studies.bisect.explanation import Blame, Explanation
from keras_repro.studies.bisect.run import bisect
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place
from keras_repro.studies.judge import Judge
from keras_repro.studies.trial import Trial
from tests.unit.made import make_run

BACKEND = backends.load()["jax"]


class Numbers:
    """Points whose costs are given; None where there is nothing at a point."""

    def __init__(self, costs, **options):
        place = Place(builtin("regression", ""), Path("artifacts"), Path("baselines"))
        points = [Point(str(at)) for at in range(len(costs))]
        self.range = Range(place, BACKEND, Unit.DAY, "number", "number 0", points, **options)
        self.costs, self.entered, self.left, self.explained = costs, [], [], []

    @contextmanager
    def at(self, point):
        if self.costs[int(point.label)] is None:
            raise NothingThereError("nothing is there")
        self.entered.append(point.label)
        yield self.range.place.of, self._environment(point.label)
        self.left.append(point.label)

    def explain(self, good, bad, differs):
        self.explained.append((good.title, bad.title))
        own = differs("the bad one alone", lambda: bad)
        other = differs("nothing", lambda: None)
        return Explanation(None, (), Blame.UNKNOWN, own, other)

    def _environment(self, label):
        return BACKEND.model_copy(update={"title": label})


@pytest.fixture
def engine():
    found = SimpleNamespace(stopped=0)

    def stop():
        found.stopped += 1

    found.stop = stop
    return found


@pytest.fixture
def searched(tmp_path, monkeypatch, engine):
    """Search some numbers; what is trained is made up."""

    def search(of, jobs=1, on_trial=lambda label, progress: None):
        def made(workload, backend, engine, progress):
            cost = of.costs[int(backend.title)]
            if cost == "fails":
                return Trial(backend, None, "the script fails: ValueError")
            folder = make_run(tmp_path / backend.title, {"costs/train": np.float32([cost])})
            return Trial(backend, read_run(folder))

        monkeypatch.setattr(judge, "try_in", made)
        state = Search(of, Judge(None), jobs)
        return bisect(state, engine, on_trial)

    return search


@pytest.mark.parametrize("jobs", [1, 3])
def test_it_finds_and_explains_a_change(searched, engine, jobs):
    of = Numbers([1.0, 1.0, None, 1.0, 2.0, 2.0, 2.0])
    seen = []
    result = searched(of, jobs, lambda label, progress: seen.append((label, progress is None)))
    [change] = result.changes
    assert (change.bracket.good, change.bracket.bad) == (3, 4)
    assert change.kinds == ("costs",)
    assert sorted(of.entered) == sorted(of.left)
    # Its explanation was given the two environments, and what it asked was tried.
    assert of.explained == [("3", "4")]
    assert change.explanation.suspect_alone is True
    assert change.explanation.companions_alone is None
    labels = ["the bad one alone", "nothing"]
    assert seen == [(label, ended) for label in labels for ended in (False, True)]
    assert engine.stopped == 0


def test_every_change_is_explained(searched):
    of = Numbers([1.0, 2.0, 2.0, 3.0], every=True)
    assert [change.bracket.bad for change in searched(of).changes] == [1, 3]
    assert of.explained == [("0", "1"), ("2", "3")]


@pytest.mark.parametrize(
    ("costs", "error", "says"),
    [
        ([1.0, None], UsageError, "number 1 (bad) tells nothing: nothing is there; name another"),
        ([1.0, "fails"], RunFailedError, "the script fails: ValueError; name another --last"),
        ([None, 1.0], UsageError, "number 0 (good) tells nothing: .*; name another --first"),
    ],
)
def test_an_end_that_tells_nothing_names_its_option(searched, costs, error, says):
    of = Numbers(costs, ends=("--first", "--last"))
    with pytest.raises(error, match=says.replace("(", r"\(").replace(")", r"\)")):
        searched(of)


@pytest.mark.parametrize("where", ["at", "explain"])
def test_an_interruption_ends_what_runs(searched, engine, where):
    of = Numbers([1.0, 2.0])

    def interrupted(*arguments):
        raise KeyboardInterrupt

    setattr(of, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        searched(of)
    assert engine.stopped == 1
