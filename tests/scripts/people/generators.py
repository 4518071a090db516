"""A generator that never ends, and a Sequence."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.utils import Sequence


def batches():
    while True:
        x = np.random.rand(8, 2)
        yield x, x[:, :1]


class Batches(Sequence):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        x = np.full((4, 2), index, "float32")
        return x, x[:, :1]


model = Sequential([Dense(1, input_shape=(2,))])
model.compile(loss="mse", optimizer="sgd")
if hasattr(model, "fit_generator"):
    model.fit_generator(batches(), steps_per_epoch=3, epochs=2, verbose=0, workers=0)
    model.fit_generator(Batches(), epochs=1, verbose=0, workers=0)
else:
    model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)
    model.fit(Batches(), epochs=1, verbose=0)
