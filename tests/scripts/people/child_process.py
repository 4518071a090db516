"""Trains in a process of its own, so that its memory is given back; the result comes by a queue."""

import multiprocessing

import numpy as np


def train(units, queue):
    from keras.layers import Dense
    from keras.models import Sequential

    np.random.seed(units)
    model = Sequential([Dense(units, activation="relu", input_shape=(2,)), Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    x = np.random.rand(20, 2)
    history = model.fit(x, x[:, :1], epochs=2, batch_size=5, verbose=0)
    queue.put((units, history.history["loss"][-1]))


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    for units in (2, 4):
        process = context.Process(target=train, args=(units, queue))
        process.start()
        units, loss = queue.get(timeout=120)
        process.join()
        print("%d units: %.5f" % (units, loss))
