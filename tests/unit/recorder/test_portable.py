"""Which portable settings are kept, and how they join a script's own variables."""

import pytest

from keras_repro.recorder.portable import Setting, choose, environment, read

A, B, C = (Setting(name, "", {name: "1"}) for name in "ABC")


def test_all_are_tried_at_once_and_one_by_one_only_where_that_goes_wrong():
    tried = []

    def works(settings):
        tried.append([one.library for one in settings])

    assert choose([A, B, C], works) == ([A, B, C], {})
    assert tried == [["A", "B", "C"]]


def test_what_goes_wrong_is_left_out_also_where_only_two_together_do():
    def crashes(settings):
        return "it crashed (signal 4)" if B in settings else None

    assert choose([A, B, C], crashes) == ([A, C], {"B": "it crashed (signal 4)"})

    def together(settings):
        return "no" if A in settings and C in settings else None

    assert choose([A, B, C], together) == ([A, B], {"C": "no"})


def test_where_nothing_works_all_is_left_out():
    assert choose([A, B], lambda settings: "no") == ([], {"A": "no", "B": "no"})


def test_the_engines_values_stay_and_the_users_go_before():
    given = {"THEANO_FLAGS": "compiledir=/x", "P": "engine"}
    settings = [Setting("T", ",", {"THEANO_FLAGS": "a=1"}), Setting("P", "", {"P": "ours"})]
    found = environment(given, {"THEANO_FLAGS": "a=2"}, settings)
    assert found["THEANO_FLAGS"].startswith("compiledir=/x,a=1,")
    assert found["THEANO_FLAGS"].endswith("a=2")
    assert found["P"] == "ours"
    assert environment(given, {"P": "mine"}, settings)["P"] == "mine"


@pytest.mark.parametrize("text", ["", "[1]", '[["a"]]', '[["a", " ", 3]]', "{"])
def test_what_is_no_list_of_settings_is_refused(text):
    with pytest.raises(ValueError, match="no settings"):
        read(text)
