"""Kernels are turned into one layout and back, in whatever layer they lie."""

import numpy as np

from keras_repro.recorder.parity import kernel_layout


class Named:
    """A layer as the conversion sees one."""

    def __init__(self, kind, **attributes):
        self.__class__ = type(kind, (), {"get_weights": lambda self: []})
        vars(self).update(attributes)


def test_kernels_turn_both_ways_and_into_wrappers():
    kernel, recurrent, bias = np.arange(36.0).reshape(3, 3, 2, 2), np.ones((2, 2, 1, 1)), np.ones(2)
    conv = Named("Conv2D")
    turned = kernel_layout.converted(conv, [kernel, bias])
    assert np.array_equal(turned[0], kernel[::-1, ::-1])
    assert turned[1] is bias
    assert np.array_equal(kernel_layout.converted(conv, turned)[0], kernel)
    both = kernel_layout.converted(Named("ConvLSTM2D"), [kernel, recurrent * 2, bias])
    assert np.array_equal(both[0], kernel[::-1, ::-1])
    assert kernel_layout.converted(Named("Dense"), [bias])[0] is bias
    wrapped = Named("TimeDistributed", layer=conv)
    assert np.array_equal(kernel_layout.converted(wrapped, [kernel, bias])[0], kernel[::-1, ::-1])
    two = Named("Bidirectional", forward_layer=conv, backward_layer=conv)
    turned = kernel_layout.converted(two, [kernel, bias, kernel, bias])
    assert np.array_equal(turned[2], kernel[::-1, ::-1])
    assert kernel_layout.flips("theano")
    assert not kernel_layout.flips("tensorflow")


def test_a_layer_of_the_scripts_own_is_what_it_derives_from_or_holds():
    kernel, bias = np.arange(36.0).reshape(3, 3, 2, 2), np.ones(2)

    class Conv2D:
        def __init__(self):
            self.weights = [object(), object()]

        def get_weights(self):
            return [kernel, bias]

    class Derived(Conv2D):
        pass

    Depthwise = type("DepthwiseConv2D", (Conv2D,), {"__module__": "keras.layers"})  # noqa: N806

    class Holding:
        def __init__(self, inner):
            self.inner = [inner]
            self.weights = inner.weights

    for layer, turns in ((Derived(), True), (Depthwise(), False), (Holding(Derived()), True)):
        turned = kernel_layout.converted(layer, [kernel, bias])
        assert np.array_equal(turned[0], kernel[::-1, ::-1] if turns else kernel)
        assert np.array_equal(turned[1], bias)


def test_layers_that_hold_each_other_end():
    one, other = Named("Own", weights=[]), Named("Own", weights=[])
    one.part, other.part = other, one
    assert kernel_layout.flipped_inside(one) == set()


def test_how_many_of_the_first_weights_are_flipped():
    conv, recurrent, dense = Named("Conv2D"), Named("ConvLSTM2D"), Named("Dense")
    counted = {
        1: [conv, Named("TimeDistributed", layer=conv)],
        2: [recurrent],
        0: [dense, Named("Bidirectional", forward_layer=dense, backward_layer=dense)],
        None: [Named("Bidirectional", forward_layer=recurrent, backward_layer=recurrent)],
    }
    for count, layers in counted.items():
        assert [kernel_layout.flipped_first(layer) for layer in layers] == [count] * len(layers)
