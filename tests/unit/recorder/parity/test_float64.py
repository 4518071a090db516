"""A layer's configuration for float64: its weights begin as zeros where Keras alone makes them."""

from keras_repro.recorder.parity import float64

DRAWN = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}}


class Layer:
    def __init__(self, config):
        self.config = config

    def get_config(self):
        return self.config

    @classmethod
    def from_config(cls, config):
        return cls(config)


class Own(Layer):
    __module__ = "keras.src.layers.core.dense"


def test_a_layer_of_keras_draws_nothing():
    config = {"units": 3, "dtype": "float32", "kernel_initializer": DRAWN, "bias_initializer": None}
    assert float64._in_float64(Own(config)).config == {
        "units": 3,
        "dtype": "float64",
        "kernel_initializer": "zeros",
        "bias_initializer": None,
    }


def test_a_layer_of_the_scripts_own_keeps_its_initializers():
    config = {"state_initializer": "ones", "kernel_initializer": DRAWN}
    assert float64._in_float64(Layer(config)).config == config


def test_so_does_one_within_a_layer_of_keras():
    def wrapped(module):
        return {"cell": {"module": module, "config": {"kernel_initializer": DRAWN}}}

    assert float64._in_float64(Own(wrapped(None))).config == wrapped(None)
    assert float64._in_float64(Own(wrapped("my"))).config == wrapped("my")
    inner = float64._in_float64(Own(wrapped("keras.layers"))).config["cell"]["config"]
    assert inner == {"kernel_initializer": "zeros"}
