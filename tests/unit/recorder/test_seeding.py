"""The variables that stand before the interpreter starts."""

from keras_repro.recorder import seeding


def test_the_seed_is_that_of_hashes_too_unless_they_have_their_own():
    assert seeding.environment(7, 1, {})["PYTHONHASHSEED"] == "7"
    assert seeding.environment(7, 1, {}, 0)["PYTHONHASHSEED"] == "0"


def test_theano_goes_on_finding_what_it_compiled():
    found = seeding.with_own({"THEANO_FLAGS": "compiledir=/x", "A": "1"}, {"THEANO_FLAGS": "b=2"})
    assert found == {"THEANO_FLAGS": "compiledir=/x,b=2", "A": "1"}
    assert seeding.with_own({}, {"THEANO_FLAGS": "b=2"}) == {"THEANO_FLAGS": "b=2"}
