"""Searches over many seeds, of numbers that nobody trains: what is right is known beforehand."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.engines import Ended
from keras_repro.errors import ExitCode, RunFailedError, UnavailableError, UsageError
from keras_repro.numbers.chance.decide import Decision
from keras_repro.numbers.chance.looks import looks
from keras_repro.project.workload import builtin
from keras_repro.report.bisect import page
from keras_repro.report.bisect.progress import SearchDisplay
from keras_repro.report.bisect.text import print_bisection, print_learnt, print_start, summary
from keras_repro.studies import trial
from keras_repro.studies.bisect.by_seeds import search_by_seeds
from keras_repro.studies.bisect.distribution import DISTRIBUTION, Sampled
from keras_repro.studies.bisect.explanation import Blame, Explanation
from keras_repro.studies.bisect.run import bisect
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place
from keras_repro.studies.prune import Kept
from tests.unit.made import ARRAYS, change_facts, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good

pytestmark = pytest.mark.long

BACKEND = backends.load()["jax"]
TEST = "costs/test"
KEPT = Kept(0, 0, 0)


def normal(at, mean=0.0, deviation=1.0):
    """Return a release: other bits than those of any other, and this distribution."""

    def cost(seed):
        return mean + deviation * np.random.default_rng((at, seed)).normal()

    return cost


class Planted:
    """Releases whose test costs are functions of the seed; None where there is no release."""

    explains = False

    def __init__(self, costs, workload=None, mark=""):
        place = Place(workload or builtin("regression", ""), Path("artifacts"), Path("baselines"))
        points = [Point(f"1.{at}") for at in range(len(costs))]
        self.range = Range(place, BACKEND, Unit.RELEASE, "planted", "the baseline", points)
        self.costs, self.mark, self.explained = costs, mark, []

    def environment(self, label):
        return BACKEND.model_copy(
            update={"title": label, "extra": f"planted=={label}{self.mark}\n"}
        )

    @contextmanager
    def at(self, point):
        if self.costs[int(point.label[2:])] is None:
            raise NothingThereError("does not install: nothing is there")
        yield self.range.place.of, self.environment(point.label)

    def explain(self, good, bad, differs):
        if not self.explains:
            return None
        self.explained.append((good.title, bad.title))
        own = differs("the bad one alone", lambda: bad)
        other = differs("the good one again", lambda: good)
        return Explanation(None, (), Blame.UNKNOWN, own, other)


class Engine(MadeUpEngine):
    """Runs the planted releases; counts which seeds of which it ran."""

    def __init__(self, of):
        super().__init__(jax=self.script)
        self.of, self.seeds = of, []

    def script(self, engine, job):
        at, seed = int(job.backend.title[2:]), job.workload.conditions.seed
        with self.lock:
            self.seeds.append((at, seed - 1337))
        cost = self.of.costs[at](seed)
        if cost is None:
            make_run(job.out, {}, outcome="failed", reason="ValueError: no")
            return Ended(4, "ValueError: no")
        arrays = cost if isinstance(cost, dict) else {**ARRAYS, TEST: np.array([cost], np.float32)}
        return good(engine, job, arrays)

    def count(self, at):
        return sum(point == at for point, _ in self.seeds)


class ServingEngine(Engine):
    """Makes runs in forks too; ``served`` has of which point, whether alone, and the place."""

    def __init__(self, of):
        super().__init__(of)
        self.served, self.let_go_of = [], 0

    def serve(self, job, alone, say):
        with self.lock:
            self.served.append((int(job.backend.title[2:]), alone, job.artifacts))
        ended = self.run(job, say)
        change_facts(job.out, forked=not alone)
        return ended

    def let_go(self):
        self.let_go_of += 1


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Keep what is tried in a folder of the test's own, whatever a made-up run is made of."""
    monkeypatch.setattr(trial, "folder", lambda: tmp_path / "probes")
    monkeypatch.setattr(trial, "_check_environment", lambda *arguments: None)
    monkeypatch.setattr(trial, "other_condition", lambda *arguments: None)


def searched(costs, most=30, jobs=2, **options):
    of = Planted(costs, options.pop("workload", None), options.pop("mark", ""))
    engine = options.pop("engine", Engine)(of)
    search = search_by_seeds(of, most, jobs, **options)
    return bisect(search, engine), engine


def shown(result, width=100):
    console = Console(width=width, record=True, markup=False)
    print_start(console, result.search, DISTRIBUTION)
    print_bisection(console, result, KEPT)
    return " ".join(console.export_text().split())


def planted(count, change, **after):
    return [normal(at, **(after if at >= change else {})) for at in range(count)]


def test_a_change_of_the_mean_is_found_with_few_seeds():
    result, engine = searched(planted(30, 17, mean=6.0))
    [change] = result.changes
    assert (change.bracket.good, change.bracket.bad) == (16, 17)
    assert result.exit_code is ExitCode.DRIFT
    # The good one has all; those that differ are found by the first look, the others by no look.
    assert engine.count(0) == 30
    assert engine.count(29) == engine.count(17) == 5
    assert engine.count(16) > 5
    assert len({at for at, _ in engine.seeds}) == 7
    assert "the distribution of costs/test changes with planted 1.17; the release" in shown(result)


def test_other_bits_are_no_other_distribution():
    result, engine = searched(planted(30, 30))
    assert result.changes == []
    assert result.exit_code is ExitCode.OK
    # The last one is the same, so that there is nothing to search.
    assert {at for at, _ in engine.seeds} == {0, 29}
    assert result.search.points[-1].trial.decision is Decision.EQUIVALENT
    assert "nothing changes between planted 1.0 and 1.29: costs/test within" in shown(result)


def test_releases_with_the_same_numbers_are_the_same_after_the_first_look():
    same = normal(0)
    result, engine = searched([same] * 17 + [normal(17, mean=6.0)] * 13)
    [change] = result.changes
    assert (change.bracket.good, change.bracket.bad) == (16, 17)
    assert {engine.count(at) for at in range(1, 30)} <= {0, 5}
    result, engine = searched([same] * 30, mark="again")
    assert (result.exit_code, engine.count(29)) == (ExitCode.OK, 5)
    assert result.search.points[-1].trial.decision is Decision.EQUIVALENT


def test_a_change_of_the_spread_alone_is_found():
    result, _ = searched(planted(8, 3, deviation=6.0))
    [change] = result.changes
    assert change.bracket.bad == 3
    assert "the spread is" in shown(result)


@pytest.mark.parametrize(("share", "changes"), [(0.0, 1), (1.0, 0)])
def test_seeds_that_fail_are_a_rate_and_no_end(share, changes):
    """Half of the seeds fail, with the later releases alone, or with all."""

    def fails(at, every):
        cost = normal(at)
        return lambda seed: None if (at > 1 or every) and seed % 2 else cost(seed)

    result, engine = searched([fails(at, share == 1.0) for at in range(4)])
    assert len(result.changes) == changes
    if changes:
        assert result.changes[0].bracket.bad == 2
        assert "end without a number" in shown(result)
        assert ", 15 of them without a run" not in shown(result)
    assert engine.count(0) == 30


def test_a_release_with_which_all_first_seeds_fail_is_skipped():
    costs = planted(6, 4, mean=6.0)
    costs[3] = lambda seed: None
    result, engine = searched(costs)
    [change] = result.changes
    assert (change.bracket.good, change.bracket.skipped, change.bracket.bad) == (2, (3,), 4)
    assert engine.count(3) == 5
    assert "1.3 fails" in shown(result)


def test_a_release_without_what_counts_is_skipped():
    costs = planted(6, 4, mean=6.0)
    costs[3] = lambda seed: {"costs/train": np.array([seed], np.float32)}
    result, engine = searched(costs)
    assert result.changes[0].bracket.skipped == (3,)
    assert engine.count(3) == 5
    assert result.search.points[3].problem == "no seed of it has costs/test"


def test_seeds_that_diverge_have_no_number():
    costs = planted(3, 3)
    costs[2] = lambda seed: np.nan
    result, engine = searched(costs)
    assert result.changes[0].bracket.bad == 2
    assert engine.count(2) == 5


def test_one_run_again_and_again_is_no_distribution():
    with pytest.raises(UsageError, match=r"^the first 5 seeds are the same run.*vary-own-seeds$"):
        searched([lambda seed: 1.0] * 3)


def test_a_good_one_without_numbers_ends_the_search():
    costs = planted(3, 3)
    costs[0] = lambda seed: None
    with pytest.raises(RunFailedError, match=r"1\.0 \(good\) tells nothing: the script fails"):
        searched(costs)
    costs[0] = lambda seed: np.nan if seed > 1337 else 1.0
    with pytest.raises(RunFailedError, match="1 of 30 good seeds end with a number of costs/test"):
        searched(costs, mark="again")


def test_no_such_scalar():
    with pytest.raises(UsageError, match="no scalar matches 'metrics/'; there are costs/test"):
        searched(planted(3, 3), primary=("metrics/",))


def test_what_is_primary_decides_and_the_margin_is_the_configurations():
    """The test cost is off; asked for is another scalar, and then a margin that it is within."""
    costs = planted(3, 2, mean=6.0)
    constant = replace(builtin("regression", ""), margins={TEST: 100.0})
    result, _ = searched(costs, primary=("costs/train",))
    assert result.changes == []
    result, _ = searched(costs, workload=constant)
    assert result.changes == []
    assert result.search.judge.margins[TEST].value == 100.0


@pytest.mark.parametrize("jobs", [1, 3])
def test_nothing_is_run_twice(jobs):
    costs = planted(12, 7, mean=6.0)
    first, engine = searched(costs, jobs=jobs)
    assert len(engine.seeds) == len(set(engine.seeds))
    again, second = searched(costs, jobs=jobs)
    assert second.seeds == []
    assert [c.bracket for c in again.changes] == [c.bracket for c in first.changes]
    assert again.search.trained == 0


def test_an_interrupted_search_goes_on_from_there():
    costs = planted(12, 7, mean=6.0)
    of = Planted(costs)
    engine = Engine(of)
    run, seen = engine.run, []

    def interrupted(job, say):
        seen.append(job)
        if len(seen) > 37:  # in the midst of the second release
            raise UnavailableError("gone")
        return run(job, say)

    engine.run = interrupted
    search = search_by_seeds(of, 30)
    with pytest.raises(UnavailableError, match="gone"):
        bisect(search, engine)
    console = Console(width=100, record=True)
    print_learnt(console, search)
    assert "goes on from here" in console.export_text()
    before = engine.seeds
    _, rest = searched(costs)
    assert not set(before) & set(rest.seeds)
    whole = {*before, *rest.seeds}
    assert sum(at == 0 for at, _ in whole) == 30


def test_seeds_are_added_only_where_undecided():
    """The smaller a shift, the more seeds it takes."""
    counts = []
    for mean in (6.0, 1.6, 1.0):
        result, engine = searched(planted(2, 1, mean=mean), mark=f".{mean}")
        counts.append(engine.count(1))
        assert counts[-1] in [look.seeds for look in looks(30)]
        assert engine.count(1) == result.search.points[1].trial.seeds
    assert counts[0] == 5
    assert counts == sorted(counts)
    assert counts[-1] > 5


def test_where_it_takes_many_seeds_they_are_made_in_forks_and_some_alone_too():
    costs = planted(4, 2, mean=6.0)
    alone, _ = searched(costs)
    result, engine = searched(costs, mark=".in.forks", engine=ServingEngine)
    assert [c.bracket for c in result.changes] == [c.bracket for c in alone.changes]
    of_good = [(is_alone, place) for at, is_alone, place in engine.served if at == 0]
    assert [is_alone for is_alone, _ in of_good].count(True) == 3
    assert [is_alone for is_alone, _ in of_good].count(False) == 25  # the first five: as ever
    assert len({place for _, place in of_good}) == 1
    assert result.search.points[0].trial.values[TEST] == pytest.approx(
        alone.search.points[0].trial.values[TEST], abs=0
    )
    # What is found by the first look is no work for a recorder that stays.
    assert not [at for at, *_ in engine.served if at == 3]
    tried = [point for point in result.search.points if point.trial is not None]
    assert engine.let_go_of == len(tried)


def test_the_level_is_the_last_ones_whole_and_shared_between():
    result, _ = searched(planted(30, 17, mean=6.0))
    points = [p.trial for p in result.search.points if isinstance(p.trial, Sampled)]
    levels = [one.level for one in points if one.found]
    assert levels[-1] == 0.05
    assert levels[:-1] == pytest.approx([0.05 / 6] * 5)


def test_an_explanation_uses_the_same_judgement():
    of = Planted(planted(4, 2, mean=6.0))
    of.explains = True
    engine = Engine(of)
    seen = []
    search = search_by_seeds(of, 30, 2)
    result = bisect(search, engine, lambda label, progress: seen.append(label))
    [change] = result.changes
    assert of.explained == [("1.1", "1.2")]
    assert change.explanation.suspect_alone is True
    assert change.explanation.companions_alone is False
    assert search.judge._parts == 2  # one package moved: alone, and those that moved with it
    assert "of the packages that moved, one that changes nothing is blamed in at most 5 %" in shown(
        result
    )


def test_the_error_rate_is_said_everywhere(tmp_path):
    result, engine = searched(planted(30, 17, mean=6.0))
    said = (
        "such a search blames a release wrongly in at most 5 % of all cases: where nothing "
        "differs, and, where one release changes something, any before it (1.29, which has to "
        "differ before any other is tried, at 5 %; between the ends at most 5 releases at 0.83 % "
        "each; looks at 5, 10, 20 and 30 seeds share it (Bonferroni), at each Benjamini-Hochberg "
        "over all tests)"
    )
    other = "the other error: a change of this size is found too late, or not at all, in at most "
    text, markdown = shown(result), summary(result, engine)
    page.write(tmp_path / "page.html", result, engine)
    html = " ".join((tmp_path / "page.html").read_text().split())
    for form in (text, markdown, html):
        assert said in form
        assert other in form
    assert "| costs/test | different |" in markdown
    assert "<svg" in html
    again = (
        "keras-repro bisect release --backend jax --package planted --good 1.16 --bad 1.17 "
        "--tolerance distribution --seeds 30"
    )
    assert again in text
    assert again in markdown
    assert "the same distribution, as far as 30 seeds can tell" in text


def test_want_of_evidence_is_said_and_is_no_sameness():
    """Ten seeds of one distribution are too few to show that it is the same."""
    result, _ = searched(planted(3, 3), most=10)
    assert result.changes == []
    assert result.exit_code is ExitCode.UNDECIDED
    text = shown(result)
    assert "no change is shown between planted 1.0 and 1.2: 10 and 10 seeds" in text
    assert "which is no evidence of sameness" in text
    assert "1.2 counts as the same for want of evidence" in text
    assert "a mean that is off by its margin (costs/test ±" in text


def test_the_display_says_how_many_seeds_are_done():
    of = Planted(planted(3, 3))
    engine = Engine(of)
    search = search_by_seeds(of, 30, 1)
    display = SearchDisplay(Console(), search)
    seen, run = [], engine.run

    def watched(job, say):
        console = Console(width=100, record=True)
        console.print(display.view())
        seen.append(console.export_text())
        return run(job, say)

    engine.run = watched
    bisect(search, engine)
    assert "1.0        3 of 5 seeds; " in seen[3]
    assert "1.0        29 of 30 seeds; " in seen[29]
    assert "1.2        0 of 5 seeds; " in seen[30]
