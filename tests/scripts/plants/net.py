"""A net of eleven layers with a bug in one of them, where PLANT_ON says; PLANT names which.

Runs under Keras 2.3.1 and Keras 3. Each bug is in what a backend computes, not in the net.
"""

import os

import keras
import numpy as np
from keras import backend as K
from keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPooling2D,
    ZeroPadding2D,
)
from keras.models import Sequential

planted = (
    os.environ["PLANT"] if K.backend() + keras.__version__[0] == os.environ["PLANT_ON"] else ""
)
OLD = keras.__version__.startswith("2.")
if not OLD:
    from keras import ops


def wrong(layer_class, computed):
    """Have a layer of a class compute something else."""
    right = layer_class.call

    def call(self, inputs, **kwargs):
        return computed(self, inputs, lambda x: right(self, x, **kwargs))

    call.__signature__ = __import__("inspect").signature(right)
    layer_class.call = call


def transposed(self, x, right):
    kernel = self.kernel
    if OLD:
        return K.dot(x, K.transpose(kernel)) + self.bias
    return ops.matmul(x, ops.transpose(kernel)) + self.bias


def shifted(self, x, right):
    """Off by one: a row too many above, one too few below."""
    y = right(x)
    roll = K.concatenate if OLD else ops.concatenate
    return roll([y[:, -1:], y[:, :-1]], axis=1)


class Square(Dense):
    """Dense with as many outputs as inputs, so that its kernel can be transposed unnoticed."""


class Scale(Layer):
    """A layer of the script's own."""

    def build(self, input_shape):
        self.factor = self.add_weight(
            name="factor", shape=(int(input_shape[-1]),), initializer="ones"
        )
        super(Scale, self).build(input_shape)

    def call(self, inputs):
        return inputs * self.factor * (1.01 if planted == "scale" else 1.0)


if planted == "transposed kernel":
    wrong(Square, transposed)
elif planted == "padding":
    wrong(ZeroPadding2D, shifted)
elif planted == "convolution":
    wrong(Conv2D, shifted)
elif planted == "pooling":
    wrong(MaxPooling2D, lambda self, x, right: right(x) * 0.999)
elif planted == "bias":
    wrong(Dense, lambda self, x, right: right(x) + 0.001)
elif planted == "flatten":
    wrong(Flatten, shifted)
elif planted == "softmax":
    wrong(Activation, lambda self, x, right: right(x * 1.001))

np.random.seed(4)
x = np.random.uniform(-1, 1, (32, 6, 6, 1)).astype("float32")
y = np.eye(4, dtype="float32")[np.arange(32) % 4]

model = Sequential()
rows = ((1, 3), (1, 1)) if planted == "one more row" else 1  # so that no Dense fits any more
model.add(ZeroPadding2D(rows, input_shape=(6, 6, 1)))
model.add(Conv2D(4, (3, 3)))
model.add(BatchNormalization(epsilon=1e-2 if planted == "epsilon" else 1e-3))
model.add(LeakyReLU(0.21 if planted == "slope" else 0.2))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Scale())
model.add(Square(36, activation="tanh" if planted == "activation" else "sigmoid"))
model.add(Dropout(0.5))
model.add(Dense(4))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="sgd")
for _ in range(3):
    model.train_on_batch(x, y)
model.predict(x)
