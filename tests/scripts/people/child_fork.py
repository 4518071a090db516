"""A pool of forked workers that use the model which the parent trained, and one of their own."""

import multiprocessing

import numpy as np
import written_down
from keras.layers import Dense
from keras.models import Sequential


def build():
    model = Sequential([Dense(3, activation="relu", input_shape=(2,)), Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    return model


def work(seed):
    np.random.seed(seed)
    x = np.random.rand(8, 2)
    other = build()
    other.fit(x, x[:, :1], epochs=1, batch_size=4, verbose=0)
    return float(model.predict(x).mean())


model = build()
written_down.began(model)
x = np.random.rand(20, 2)
y = x[:, :1]
steps = written_down.steps()
written_down.history(model.fit(x, y, epochs=1, batch_size=5, verbose=0, callbacks=[steps]))
written_down.prediction(model.predict(x))
with multiprocessing.get_context("fork").Pool(2) as pool:
    print("means:", pool.map(work, range(4)))
written_down.history(model.fit(x, y, epochs=1, batch_size=5, verbose=0, callbacks=[steps]))
written_down.prediction(model.predict(x))
written_down.ended(model)
written_down.unseen("what its processes trained")
