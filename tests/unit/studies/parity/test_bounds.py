"""What is the same up to rounding, as the recorder measures it."""

import numpy as np
import pytest

from keras_repro.recorder.parity import distance
from keras_repro.studies.parity.bounds import near
from keras_repro.studies.parity.recorded import ArrayFacts


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [
        ([1, np.nan], [1, np.nan], True),
        ([1, np.nan], [1, 2], False),
        ([1, 2], [1, 2 + 1e-5], True),  # what another model made of the same
        ([1, 2], [1, 2.1], False),
        ([np.inf, 1], [-np.inf, 1], False),
    ],
)
def test_batches_are_the_same_up_to_rounding(mine, other, same):
    measured = distance.facts(np.float32(mine), np.float32(other))
    assert near(ArrayFacts(**measured)) is same


@pytest.mark.parametrize(("other", "same"), [([5, 7], True), ([5, 8], False), ([5], False)])
def test_whole_numbers_are_the_same_or_not(other, same):
    measured = distance.facts(np.array([5, 7]), np.array(other))
    assert near(ArrayFacts(**measured)) is same
