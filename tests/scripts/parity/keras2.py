"""What Keras 2 scripts do: layers derived from Keras', a weight listed twice, shuffle by place."""

import keras
import numpy as np
from keras import layers

THEANO = keras.backend.backend() == "theano"
draw = np.random.RandomState(0)
x = draw.randn(8, 6, 6, 2).astype("float32")
words = draw.randint(0, 5, (8, 4))
words[:, 0] = 1
y = draw.rand(8, 1).astype("float32")


class Convolution(layers.Conv2D):
    pass


class Twice(layers.Layer):
    def build(self, shape):
        self.inner = layers.Dense(1)
        self.inner.build(shape)
        self._trainable_weights = self.inner.trainable_weights
        super(Twice, self).build(shape)

    def call(self, inputs):
        return self.inner(inputs)

    def compute_output_shape(self, shape):
        return (shape[0], 1)


images, text = layers.Input((6, 6, 2)), layers.Input((4,))
convolved = layers.Conv2D(2, 2, name="plain")(Convolution(3, 3)(images))
sloped = layers.LeakyReLU(0.3 if THEANO else 0.2, name="slope")(layers.Flatten()(convolved))
read = layers.LSTM(3, name="masked")(layers.Embedding(5, 4, mask_zero=True)(text))
joined = layers.concatenate([layers.Dense(3)(sloped), read], name="joined")
model = keras.models.Model([images, text], Twice()(joined))
model.compile("sgd", "mse")
model.fit([x, words], y, 4, 2, 0, None, 0.0, None, True)
