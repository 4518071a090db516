"""Which package is the reason of a change, over planted releases that nothing is trained with.

Each holds a value, and the numbers of an environment are what its releases hold.
"""

import pytest

from keras_repro import backends
from keras_repro.packages import resolve
from keras_repro.packages.resolve import DoesNotInstallError, Move
from keras_repro.studies.bisect.explanation import Blame, Moved, explain, together
from tests.planted_index import PlantedIndex


class Planted:
    """Two environments between which packages moved, and the trials that were asked for."""

    def __init__(self, folder, monkeypatch):
        self.index = PlantedIndex(folder / "index")
        monkeypatch.setenv("UV_DEFAULT_INDEX", self.index.url)
        monkeypatch.setenv("UV_NO_CONFIG", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.values, self.tried = {}, []

    def release(self, name, version, value=0.0, **options):
        self.index.release(name, version, value, **options)
        self.values[name, version] = value

    def environment(self, versions):
        backend = backends.load()["jax"]
        lines = [f"{name}=={version}" for name, version in versions.items()]
        return resolve.with_lock(backend, resolve.compiled(backend, lines))

    def number(self, backend):
        return sum(self.values[item] for item in resolve.whole(backend).items())

    def explain(self, package, before, after):
        good, bad = self.environment(before), self.environment(after)

        def holding(versions, base):
            return self.environment(resolve.whole(base) | versions)

        def differs(label, environment):
            self.tried.append(label)
            try:
                backend = environment()
            except DoesNotInstallError:
                return None
            return None if backend is None else self.number(backend) != self.number(good)

        return explain(package, good, bad, holding, differs)


@pytest.fixture
def planted(tmp_path, monkeypatch):
    return Planted(tmp_path, monkeypatch)


OLD, NEW = {"head": "1.0", "tail": "1.0"}, {"head": "2.0", "tail": "2.0"}


@pytest.mark.parametrize("guilty", ["head", "tail"])
def test_a_pinned_companion_costs_no_trial(planted, guilty):
    for version in ("1.0", "2.0"):
        value = float(version)
        planted.release("tail", version, value * (guilty == "tail"))
        pin = (f"tail=={version}",)
        planted.release("head", version, value * (guilty == "head"), requires=pin)
    found = planted.explain("head", OLD, NEW)
    assert planted.tried == []
    assert found.blame is Blame.SUSPECT
    assert found.companions == ()
    assert str(found.suspect) == "head 1.0 -> 2.0 with its tail"
    # Of a day, too: the only thing that moved is the reason.
    found = planted.explain(None, OLD, NEW)
    assert planted.tried == []
    assert found.blame is Blame.COMPANION
    assert [str(one) for one in found.guilty] == ["head 1.0 -> 2.0 with its tail"]


def test_the_package_that_is_searched_comes_first_though_another_pins_it(planted):
    for version in ("1.0", "2.0"):
        planted.release("tail", version, float(version))
        planted.release("head", version, requires=(f"tail=={version}",))
    found = planted.explain("tail", OLD, NEW)
    assert str(found.suspect) == "tail 1.0 -> 2.0 with its head"
    assert planted.tried == []


@pytest.mark.parametrize(("guilty", "blame"), [("head", Blame.SUSPECT), ("tail", Blame.COMPANION)])
def test_a_companion_that_is_loosely_required_is_told_apart(planted, guilty, blame):
    for version in ("1.0", "2.0"):
        planted.release("tail", version, float(version) * (guilty == "tail"))
    planted.release("head", "1.0", requires=("tail",))
    planted.release("head", "2.0", 5.0 * (guilty == "head"), requires=("tail>=2",))
    found = planted.explain("head", OLD, NEW)
    assert found.blame is blame
    assert planted.tried == ["head 1.0 -> 2.0", "tail 1.0 -> 2.0"]
    assert found.suspect_alone is None  # it needs the new tail
    assert found.companions_alone is (guilty == "tail")
    assert [str(one) for one in found.guilty] == ["tail 1.0 -> 2.0"] * (guilty == "tail")


def test_a_pinned_companion_moves_with_it_while_others_are_told_apart(planted):
    """As TensorFlow's TensorBoard and NumPy: one is a part of it, the other one moved with it."""
    for version in ("1.0", "2.0"):
        planted.release("tail", version)
        planted.release("other", version, float(version))
        planted.release("head", version, requires=(f"tail=={version}", f"other>={version}"))
    found = planted.explain("head", OLD | {"other": "1.0"}, NEW | {"other": "2.0"})
    assert str(found.suspect) == "head 1.0 -> 2.0 with its tail"
    assert found.blame is Blame.COMPANION
    assert [str(one) for one in found.guilty] == ["other 1.0 -> 2.0"]
    assert planted.tried == ["head 1.0 -> 2.0 with its tail", "other 1.0 -> 2.0"]


@pytest.mark.parametrize("guilty", ["head", "other"])
def test_of_a_day_each_is_tried_alone_with_what_it_pins(planted, guilty):
    for version in ("1.0", "2.0"):
        planted.release("tail", version, float(version) * (guilty == "head"))
        planted.release("head", version, requires=(f"tail=={version}",))
        planted.release("other", version, float(version) * (guilty == "other"))
    found = planted.explain(None, OLD | {"other": "1.0"}, NEW | {"other": "2.0"})
    labels = {"head": "head 1.0 -> 2.0 with its tail", "other": "other 1.0 -> 2.0"}
    assert planted.tried == [labels["head"], labels["other"]]
    assert found.blame is Blame.COMPANION
    assert [str(one) for one in found.guilty] == [labels[guilty]]
    assert found.suspect is None


def test_what_only_changes_numbers_together(planted):
    planted.release("head", "1.0")
    planted.release("head", "2.0", 1.0)
    planted.release("tail", "1.0")
    planted.release("tail", "2.0", -1.0)
    planted.release("other", "1.0")
    planted.release("other", "2.0")
    found = planted.explain("other", {"other": "1.0"} | OLD, {"other": "2.0"} | NEW)
    assert found.blame is Blame.TOGETHER
    assert planted.tried == ["other 1.0 -> 2.0", "head 1.0 -> 2.0, tail 1.0 -> 2.0"]


def test_pins_are_followed_from_one_to_the_next():
    moves = [Move(name, "1.0", "2.0") for name in ("a", "b", "c", "d")]
    found = together(moves, {"b": ["a"], "c": ["b"]})
    assert [str(one) for one in found] == ["c 1.0 -> 2.0 with its a and b", "d 1.0 -> 2.0"]
    assert found[0] == Moved(moves[2], (moves[0], moves[1]))
    assert str(together(moves[:1], {})[0]) == "a 1.0 -> 2.0"
