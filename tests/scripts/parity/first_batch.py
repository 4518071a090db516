"""Models in each of which PyTorch parts in its own way, or in none; a model's name says how."""

import keras
import numpy as np
from keras import layers, ops

TORCH = keras.backend.backend() == "torch"
draw = np.random.RandomState(0)
x, y = draw.rand(16, 8).astype("float32"), draw.rand(16, 1).astype("float32")


def predict(model, name, given=x):
    model.name = name
    model.predict(given, verbose=0)


class Outside(keras.Model):
    """What is in no layer: after the last, or between the two."""

    def __init__(self, last):
        super().__init__()
        self.first, self.second, self.last = layers.Dense(4), layers.Dense(1), last

    def call(self, inputs):
        factor = 2.0 if TORCH else 1.0
        between, after = (1.0, factor) if self.last else (factor, 1.0)
        return self.second(self.first(inputs) * between) * after


class Pool(layers.Layer):
    def call(self, inputs, mask=None):
        if mask is None or TORCH:
            return ops.mean(inputs, axis=1)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * weights, axis=1) / ops.sum(weights, axis=1)


class Masked(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.pool = layers.Dense(3), Pool()

    def call(self, inputs):
        return self.pool(self.first(inputs), mask=inputs[:, :, 0] > 0.5)


class Counting(layers.Layer):
    """Alone it computes something else than in the model, which calls it before."""

    calls = 0

    def call(self, inputs):
        self.calls += inputs.shape[0] == len(x)
        return inputs * (3.0 if TORCH and self.calls <= 2 else 1.0)


class OnlyInTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(4), layers.Dense(1)
        self.aside = layers.LeakyReLU(0.1 if TORCH else 0.3)

    def call(self, inputs, training=False):
        hidden = self.first(inputs)
        return self.second(self.aside(hidden) if training else hidden)


class Infinite(layers.Layer):
    def call(self, inputs):
        return ops.where(inputs > 0.5, float("-inf") if TORCH else float("inf"), inputs)


class InFloat32(layers.Layer):
    def call(self, inputs):
        return ops.cast(ops.log(ops.cast(inputs, "float32") + 3.0) * 7.1, inputs.dtype)


class Drawing(layers.Layer):
    def call(self, inputs, training=False):
        if not training:
            return inputs
        random, shape = keras.random, ops.shape(inputs)
        inputs = random.shuffle(random.dropout(inputs, 0.4))
        inputs = inputs * random.binomial(shape, 2.0, 0.5) + random.beta(shape, 1.0, 3.0)
        inputs = inputs + random.gamma(shape, 2.0) + random.uniform(shape, 2.0, 4.0)
        inputs = inputs + ops.cast(random.categorical(inputs, 8), inputs.dtype)
        return inputs + ops.cast(random.randint(shape, 0, 9), inputs.dtype)


class TwoOfOneName(layers.Layer):
    def build(self, shape):
        self.kernels = [self.add_weight(shape=(shape[-1], 1), name="kernel") for _ in range(2)]

    def call(self, inputs):
        return ops.matmul(inputs, self.kernels[0]) + ops.matmul(inputs, self.kernels[1])


predict(Outside(last=True), "after")
predict(Outside(last=False), "between")
last = [] if TORCH else [layers.Softmax()]
predict(keras.Sequential([keras.Input((8,)), layers.Dense(4), *last]), "missing")
sequences = draw.rand(16, 5, 2).astype("float32")
sequences[:, 0, 0] = 0.9
predict(Masked(), "explicit_mask", sequences)
predict(keras.Sequential([keras.Input((8,)), Counting()]), "counting")
predict(keras.Sequential([keras.Input((8,)), Infinite()]), "infinite")
predict(keras.Sequential([keras.Input((8,)), InFloat32()]), "float32")
predict(keras.Sequential([keras.Input((8,)), Drawing()]), "drawing")
predict(keras.Sequential([keras.Input((8,)), TwoOfOneName()]), "two_of_one_name")

words = draw.randint(0, 5, (16, 6)).astype("int32")
words[:, 0] = 1
given = keras.Input((6,), dtype="int32")
hidden = layers.Embedding(5, 4, mask_zero=True)(given)
queries = layers.Dense(4)(hidden)
attended = layers.MultiHeadAttention(2, 3)(queries, hidden)
joined = layers.Attention()([layers.Add()([queries, attended]), hidden])
predict(keras.Model(given, layers.GlobalAveragePooling1D()(joined)), "masks", words)

holes = x.copy()
holes[3, 2] = np.nan
predict(keras.Sequential([keras.Input((8,)), layers.Dense(1)]), "not_a_number", holes)

aside = OnlyInTraining()
aside.name = "only_in_training"
aside.compile("sgd", "mse")
aside.fit(x, y, verbose=0)

late = keras.Sequential([keras.Input((8,)), layers.Dense(1)], name="late_loss")
late.compile("sgd", "mae" if TORCH else "mse")
late.predict(x, verbose=0)
late.fit(x, y, verbose=0)

half = [layers.Dense(8, dtype="mixed_float16"), layers.BatchNormalization(dtype="mixed_float16")]
mixed = keras.Sequential([keras.Input((8,)), *half, layers.Dense(1)], name="mixed")
mixed.compile("adam", "mse")
mixed.fit(x, y, verbose=0)

if TORCH:
    predict(keras.Sequential([keras.Input((8,)), layers.Dense(2)]), "more")
