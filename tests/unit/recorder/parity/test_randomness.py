"""What draws inside the graph is switched off."""

import pytest

from keras_repro.recorder.parity.randomness import Randomness


@pytest.mark.parametrize("given", [{"shuffle": True}, {}, 3])
def test_fit_goes_through_the_data_in_order_however_it_is_called(given):
    class Model:
        def fit(self, x, y=None, shuffle=True):
            return x, y, shuffle

    quiet = Randomness()
    call = quiet._in_order(Model.fit)
    result = call(Model(), 1, 2, True) if given == 3 else call(Model(), 1, y=2, **given)
    assert result == (1, 2, False)
    assert quiet.found == ["shuffling in fit"]
