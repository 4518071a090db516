"""The name by which a layer is imported."""

import sys
from types import SimpleNamespace

import pytest

from keras_repro.recorder.parity.layer_facts import _class_name


class Dense:
    pass


class GroupedQueryAttention:
    pass


class Own:
    pass


@pytest.mark.parametrize(
    ("layer_class", "name"),
    [(Dense, "Dense"), (GroupedQueryAttention, "GroupQueryAttention"), (Own, "Own")],
)
def test_it_is_the_one_that_keras_offers(layer_class, name, monkeypatch):
    layers = SimpleNamespace(GroupQueryAttention=GroupedQueryAttention, Dense=Dense)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(layers=layers))
    assert _class_name(layer_class) == name
