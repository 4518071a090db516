"""Nets of eleven layers, each with a bug in one of them, or none.

PLANTS names them, with commas between: "pooling@torch3" is a net whose pooling is wrong on PyTorch
under Keras 3, "none@none" one without a bug. Each bug is in what a backend computes, not in the
net, but for those that are given to a layer. Runs under Keras 2.3.1 and Keras 3.
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

HERE = K.backend() + keras.__version__[0]
OLD = keras.__version__.startswith("2.")
if not OLD:
    from keras import ops


def name_of(plant, where):
    return "%s_%s" % (plant.replace(" ", "_"), where)


def wrong(plant, layer_class, computed):
    """Have a class compute something else in the layer that is called as the plant is here.

    By its name, which it keeps where it is computed once more when the script has ended.
    """
    right = layer_class.call

    def call(self, inputs, **kwargs):
        if self.name != name_of(plant, HERE):
            return right(self, inputs, **kwargs)
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
        return inputs * self.factor * (1.01 if self.name == name_of("scale", HERE) else 1.0)


wrong("transposed kernel", Square, transposed)
wrong("padding", ZeroPadding2D, shifted)
wrong("convolution", Conv2D, shifted)
wrong("pooling", MaxPooling2D, lambda self, x, right: right(x) * 0.999)
wrong("bias", Dense, lambda self, x, right: right(x) + 0.001)
wrong("flatten", Flatten, shifted)
wrong("softmax", Activation, lambda self, x, right: right(x * 1.001))

np.random.seed(4)
x = np.random.uniform(-1, 1, (32, 6, 6, 1)).astype("float32")
y = np.eye(4, dtype="float32")[np.arange(32) % 4]


def train(plant, where):
    planted = plant if where == HERE else ""

    def named(*plants):
        return {"name": name_of(plant, where)} if plant in plants else {}

    model = Sequential(name="net_" + name_of(plant, where))
    rows = ((1, 3), (1, 1)) if planted == "one more row" else 1  # so that no Dense fits any more
    model.add(ZeroPadding2D(rows, input_shape=(6, 6, 1), **named("padding")))
    model.add(Conv2D(4, (3, 3), **named("convolution")))
    model.add(BatchNormalization(epsilon=1e-2 if planted == "epsilon" else 1e-3))
    model.add(LeakyReLU(0.21 if planted == "slope" else 0.2))
    model.add(MaxPooling2D((2, 2), **named("pooling")))
    model.add(Flatten(**named("flatten")))
    model.add(Scale(**named("scale")))
    activation = "tanh" if planted == "activation" else "sigmoid"
    model.add(Square(36, activation=activation, **named("transposed kernel")))
    model.add(Dropout(0.5))
    model.add(Dense(4, **named("bias")))
    model.add(Activation("softmax", **named("softmax")))
    model.compile(loss="categorical_crossentropy", optimizer="sgd")
    for _ in range(3):
        model.train_on_batch(x, y)
    model.predict(x)


for asked in os.environ["PLANTS"].split(","):
    train(*asked.split("@"))
