"""A layer that looks at the numbers, as no function that JAX compiles can; it draws and counts."""

import random

import keras
import numpy as np
from keras import ops


class Looks(keras.layers.Layer):
    calls = 0

    def compute_output_spec(self, x):  # else Keras calls it without numbers
        return keras.KerasTensor(x.shape, x.dtype)

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones", name="scale")

    def call(self, x):
        self.calls += 1
        random.random()
        np.random.rand()
        return x * self.scale if ops.sum(x) > 0 else -x


class Fails(Looks):
    """Fails where a gradient is asked for, and not for want of numbers."""

    def call(self, x):
        self.calls += 1
        if self.calls == 4:  # after building, tracing, inference, training
            raise ValueError("not a fourth time")
        return x * self.scale


x = np.random.RandomState(0).rand(4, 3).astype("float32")
for layer in (Looks(name="looks"), Fails(name="fails")):
    model = keras.Sequential([keras.Input((3,)), layer], name=layer.name)
    model.compile("sgd", "mse", run_eagerly=True)
    model.predict(x, verbose=0)
    print(layer.name, layer.calls, random.random(), np.random.rand())
