"""How much an import drew, and from what."""

import random
import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from keras_repro.recorder.trail import generators
from keras_repro.recorder.trail.generators import Imports, drawn, states
from keras_repro.recorder.trail.trail import Trail


@given(some.integers(0, 2**32 - 1), some.integers(0, 2000), some.integers(0, 2000))
def test_words_are_counted(seed, before, count):
    twister = np.random.RandomState(seed)
    twister.randint(0, 1 << 32, before, dtype=np.uint32)
    first = twister.get_state()
    twister.randint(0, 1 << 32, count, dtype=np.uint32)
    assert drawn(first, twister.get_state()) == count


def test_seeding_anew_is_no_count():
    twister = np.random.RandomState(1)
    first = twister.get_state()
    twister.seed(2)
    assert drawn(first, twister.get_state()) == -1


@pytest.fixture
def imports():
    kept = random.getstate(), np.random.get_state()
    seeds = random.seed, np.random.seed
    trail = Trail()
    yield Imports(trail), trail.links
    random.setstate(kept[0])
    np.random.set_state(kept[1])
    random.seed, np.random.seed = seeds


def test_each_import_tells_what_it_drew_itself(imports):
    made, links = imports
    made.script_begins()
    begin, end = made.before()["keras"], made.after()["keras"]
    begin()
    random.random()
    begin()
    np.random.randint(0, 1 << 32, 10, dtype=np.uint32)
    end(ModuleType("jax"))
    end(ModuleType("keras"))
    begin()
    end(ModuleType("torch"))
    first, jax, keras, torch = links
    assert first["at"] == "the script's first line"
    assert (jax["at"], jax["drew"]) == ("import jax", {"numpy.random": 10})
    assert (keras["at"], keras["drew"]) == ("import keras", {"random": 2})
    assert "drew" not in torch
    assert "moved" not in jax  # nobody had seeded it


@pytest.mark.parametrize("seed", [7, 1337])
def test_a_generator_that_the_script_had_seeded_is_told(imports, seed):
    made, links = imports
    np.random.seed(1337)
    made.script_begins()
    np.random.seed(seed)
    made.before()["jax"]()
    np.random.rand()
    made.after()["jax"](ModuleType("jax"))
    assert links[1]["moved"] == ["numpy.random"]
    assert links[1]["drew"] == {"numpy.random": 2}


def test_states_follow_the_generators_and_move_none():
    before = states()
    assert states() == before
    random.random()
    np.random.rand()
    after = states()
    assert {name for name in after if after[name] != before.get(name)} == {"random", "numpy.random"}


def test_a_framework_that_keeps_its_state_elsewhere_is_not_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    assert "torch" not in states()
    assert generators._digest((1, np.arange(3))) != generators._digest((1, np.arange(4)))
