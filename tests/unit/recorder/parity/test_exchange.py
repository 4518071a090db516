"""Another run gets the reference's batch and inputs, and keeps how its own differ."""

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.parity import exchange
from keras_repro.recorder.parity.calls import Call
from keras_repro.recorder.parity.problems import ParityError

X, Y = np.arange(6.0).reshape(3, 2), np.arange(3)


@pytest.fixture
def reference(tmp_path):
    """Return what a reference is, and what makes another run of it."""
    kept = exchange.Exchange(str(tmp_path / "reference.npz"), None)

    def against():
        kept.close()
        return exchange.Exchange(str(tmp_path / "other.npz"), str(tmp_path / "reference.npz"))

    return kept, against


def call(*inputs, masks=None):
    return Call("0.dense", None, list(inputs), masks or [None] * len(inputs), [], None, "")


def test_the_batch_is_the_references_and_how_it_differed_is_kept(reference):
    kept, against = reference
    batch = kept.batch("", [X, X], Y)
    assert (batch.facts, batch.fits) == ([], True)
    batch = against().batch("", [X, X + 1], Y + 1)
    assert batch.fits
    assert all(np.array_equal(part, X) for part in batch.x)
    assert np.array_equal(batch.y, Y)
    assert batch.facts == [
        {"key": "batch/x/0", "equal": True, "apart": 0},
        {"key": "batch/x/1", "equal": False, "apart": 0.2},
        {"key": "batch/y/0", "equal": False},
    ]


@pytest.mark.parametrize(
    ("x", "facts"),
    [
        (X[:2], {"key": "batch/x/0", "equal": False, "apart": contract.ANOTHER_SHAPE}),
        ([X, X], {"key": "batch/x/1", "missing": True}),
    ],
)
def test_a_batch_that_the_references_cannot_stand_for(reference, x, facts):
    kept, against = reference
    kept.batch("", X, None)
    batch = against().batch("", x, None)
    assert not batch.fits
    assert facts in batch.facts


def test_inputs_are_the_references_and_how_far_they_arrived_is_kept(reference):
    kept, against = reference
    mask = np.array([True, False, True])
    assert kept.inputs("a", call(X, masks=[mask]))[2] == {}
    kept.inputs("b", call(X, X))
    other = against()
    [given], [given_mask], facts = other.inputs("a", call(X * 1.5))
    assert np.array_equal(given, X)
    assert np.array_equal(given_mask, mask)
    assert facts == {"arrived": 0.5, "other_mask": True}
    _, _, facts = other.inputs("b", call(X, X[:2]))
    assert facts == {"arrived": contract.ANOTHER_SHAPE}
    with pytest.raises(ParityError, match="the reference does not call this layer so"):
        other.inputs("c", call(X))


def test_what_is_too_large_is_said(reference, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_BYTES", 8)
    with pytest.raises(ParityError, match="big has 48 bytes, too many to keep"):
        reference[0].write("big", X)
