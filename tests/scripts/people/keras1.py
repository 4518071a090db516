"""As written for Keras 1: output_dim, nb_epoch, init."""

import numpy as np
from keras.layers.core import Activation, Dense
from keras.models import Sequential

model = Sequential()
model.add(Dense(output_dim=4, input_dim=2, init="uniform"))
model.add(Activation("relu"))
model.add(Dense(output_dim=1))
model.compile(loss="mse", optimizer="sgd")
x = np.random.rand(16, 2)
model.fit(x, x[:, :1], nb_epoch=2, batch_size=8, verbose=0)
