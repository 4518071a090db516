"""The inputs have the same bits everywhere, and the digests are of what they were made of."""

import hashlib

import numpy as np

from keras_repro.recorder.numeric_class.inputs import spread
from keras_repro.recorder.numeric_class.process import digest


def test_the_bits_of_the_inputs_are_these():
    assert hashlib.sha256(spread(1, 1000).tobytes()).hexdigest()[:16] == "c9a8c6f6f9875260"


def test_nothing_rounds_them():
    narrow, wide = spread(3, 5, 7), spread(3, 5, 7, dtype=np.float64)
    assert narrow.dtype == np.float32
    assert narrow.shape == (5, 7)
    assert (narrow == wide).all()
    assert (np.abs(wide * 2**22) % 1 == 0).all()


def test_they_are_spread_out_and_others_for_each_seed():
    x = spread(1, 100_000, dtype=np.float64)
    assert abs(x.mean()) < 0.01
    assert abs(x.std() - 3**-0.5) < 0.01
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(x, spread(2, 100_000))[0, 1]) < 0.02


def test_a_digest_is_of_the_bits_the_shape_and_the_type():
    x = spread(1, 6)
    other = x.copy()
    other[3] = np.nextafter(other[3], np.float32(2))
    seen = [digest([x]), digest([other]), digest([x.reshape(2, 3)]), digest([x.view(np.int32)])]
    assert len({*seen, digest([x[:3], x[3:]])}) == 5
    assert digest([x.reshape(2, 3).T]) == digest([np.ascontiguousarray(x.reshape(2, 3).T)])
    assert len(seen[0]) == 16
