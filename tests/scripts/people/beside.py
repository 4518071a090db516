"""Imports a module that lies beside it."""

import numpy as np
from helpers import target
from keras.layers import Dense
from keras.models import Sequential

model = Sequential([Dense(1, input_shape=(3,))])
model.compile(loss="mse", optimizer="sgd")
x = np.random.rand(16, 3)
for _ in range(4):
    model.train_on_batch(x, target(x))
