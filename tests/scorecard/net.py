"""A small training in which one thing can be planted: the first argument says what."""

import sys

import numpy as np

planted = sys.argv[1]
with open("seed.txt") as file:
    np.random.seed(int(file.read()))

if planted == "import":  # as JAX does since 0.6.1
    np.random.randint(0, 1 << 32, 10, dtype=np.uint32)

from keras.layers import BatchNormalization, Dense, Dropout  # noqa: E402
from keras.models import Sequential  # noqa: E402

x = np.random.rand(12, 3).astype("float32")
y = np.random.rand(12, 1).astype("float32")
if planted == "release":
    import toolz

    x *= 1 + int(toolz.__version__.rpartition(".")[2])
if planted == "datum":
    y[7, 0] += 1
first = Dense(4, input_shape=(3,), bias_initializer="ones" if planted == "initial" else "zeros")
seed = 8 if planted == "dropout" else 7
model = Sequential([first, BatchNormalization(), Dropout(0.5, seed=seed), Dense(1)])
model.compile(
    loss="mae" if planted == "loss" else "mse",
    optimizer="adam" if planted == "optimizer" else "sgd",
)
if planted == "loaded":
    kernel, bias = model.layers[0].get_weights()
    kernel[0, 0] += 1
    model.layers[0].set_weights([kernel, bias])
for step in range(1, 8):
    if step == 5 and planted == "later datum":
        y[3, 0] += 1
    model.train_on_batch(x, y)
    if step == 5 and planted == "update":
        kernel, bias = model.layers[3].get_weights()
        model.layers[3].set_weights([kernel + 1, bias])
if planted == "asked":
    x[0, 0] += 1
model.predict(x)
