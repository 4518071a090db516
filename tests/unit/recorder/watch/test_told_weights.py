"""What the trail is told of weights, and what is read for it."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import told
from keras_repro.recorder.watch.models import Known, Models
from keras_repro.recorder.watch.spool import Spool
from keras_repro.recorder.watch.told_weights import ToldWeights


class Variable:
    pass


@pytest.fixture
def spool(tmp_path):
    spool = Spool(str(tmp_path))
    yield spool
    spool.close()


def made(spool, values):
    """Return a model's weights by their first values, of which some may be lost; and the trail."""
    trail = Trail()
    models = Models()
    models.spool = spool
    models.last_values = lambda variables: iter([np.zeros(3)] * len(variables))
    variables = [Variable() for _ in values]
    watched = SimpleNamespace(told=False, known={}, numbers=SimpleNamespace(model=1, steps=0))
    watched.model = lambda: None
    watched.variables = [(str(at), variable) for at, variable in enumerate(variables)]
    for at, (variable, value) in enumerate(zip(variables, values, strict=True)):
        watched.known[str(at)] = known = Known(variable, at)
        known.first = None if value is None else spool.put(value)
    return ToldWeights(trail, models), watched, trail


def test_where_one_is_lost_the_others_are_not_read_at_each_step(spool, monkeypatch):
    of, watched, trail = made(spool, [np.ones(3), None])
    read = []
    blocks, get = spool.blocks, spool.get
    monkeypatch.setattr(spool, "blocks", lambda slot: read.append(slot) or blocks(slot))
    monkeypatch.setattr(spool, "get", lambda slot: read.append(slot) or get(slot))
    for _ in range(5):
        of.begin(watched, unchanged=True)
    assert (read, trail.links) == ([], [])
    of.begin(watched, unchanged=False)
    [link] = trail.links
    assert link["weights"] == {"0": told(np.ones(3))}


def test_they_are_told_once_and_what_changed_them_before(spool):
    of, watched, trail = made(spool, [np.ones(3), np.full(3, 2.0)])
    of.begin(watched, unchanged=True)
    of.begin(watched, unchanged=True)
    assert [link["kind"] for link in trail.links] == ["initial weights", "weights"]
    assert trail.links[0]["weights"]["1"] == told(np.full(3, 2.0))
    assert trail.links[1]["weights"]["1"] == told(np.zeros(3))
