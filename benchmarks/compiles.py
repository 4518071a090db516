"""A script that compiles for longer than it does anything else; benchmarks/seeds.py runs it."""

import keras
import numpy as np
from keras import layers

LAYERS = 40

x = np.random.rand(8, 16).astype("float32")
inputs = keras.Input((16,))
hidden = inputs
for width in range(LAYERS):  # no two of them compile to the same
    hidden = layers.Dense(16 + width, activation="tanh")(hidden)
    hidden = layers.BatchNormalization()(hidden)
model = keras.Model(inputs, layers.Dense(1)(hidden))
model.compile(loss="mse", optimizer="adam")
print("training cost:", model.train_on_batch(x, x[:, :1]))
print("test cost:", model.evaluate(x, x[:, :1], verbose=0))
