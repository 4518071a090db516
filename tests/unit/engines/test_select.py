"""Which engine is chosen, and that it is left as it was found."""

import pytest

from keras_repro.engines import EngineUnavailableError, kinds, select
from keras_repro.errors import UsageError


class Fine:
    name = title = "fine"

    def problem(self):
        return None


class AlsoFine(Fine):
    name = title = "also fine"


class Absent:
    name = title = "absent"

    def problem(self):
        return EngineUnavailableError("nobody answers", "start it")


@pytest.fixture
def engines(monkeypatch):
    def there_are(*classes):
        table = {one.name: (__name__, one.__name__) for one in classes}
        monkeypatch.setattr(select, "ENGINES", table)
        monkeypatch.setattr(kinds, "ENGINES", table)
        monkeypatch.setattr(select, "NAMES", ("auto", *table))

    return there_are


def test_auto_takes_the_first_and_says_why_not_another(engines):
    engines(Fine, Absent)
    assert select.select("auto")[1] == "engine: fine"
    engines(Absent, Fine)
    chosen, line = select.select("auto")
    assert isinstance(chosen, Fine)
    assert line == "engine: fine, because nobody answers"


def test_one_that_is_asked_for_is_taken_or_the_problem_said(engines):
    engines(Absent, Fine)
    assert select.select("fine")[1] == "engine: fine"
    with pytest.raises(EngineUnavailableError, match="nobody answers; start it"):
        select.select("absent")
    with pytest.raises(UsageError, match="no engine 'none'; there are auto, absent, fine"):
        select.select("none")


def test_where_none_can_be_used_the_first_ones_problem_is_said(engines):
    engines(Absent)
    with pytest.raises(EngineUnavailableError, match="nobody answers"):
        select.select("auto")


def test_all_that_can_be_used(engines):
    engines(Fine, Absent, AlsoFine)
    assert [engine.name for engine in select.usable("auto")] == ["fine", "also fine"]
    assert [engine.name for engine in select.usable("also fine")] == ["also fine"]
    with pytest.raises(EngineUnavailableError):
        select.usable("absent")


def test_the_engines_there_are():
    assert select.NAMES == ("auto", "docker", "local", "dask")
    for name, (module, of) in select.ENGINES.items():
        assert getattr(kinds.import_module(module), of).name == name
