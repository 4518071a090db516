"""Two metrics whose names differ by a blank only, and one with a colon."""

import keras
import numpy as np
import written_down
from keras import backend as K
from keras.layers import Dense
from keras.models import Sequential

try:
    from keras import ops
except ImportError:
    ops = K


def biggest(wanted, given):
    return ops.max(ops.abs(wanted - given))


def mean(wanted, given):
    return ops.mean(ops.abs(wanted - given))


def signed(wanted, given):
    return ops.mean(given - wanted)


def named(name, function):
    function.__name__ = name
    if ops is K:
        return function
    return keras.metrics.MeanMetricWrapper(function, name=name)


metrics = [named("f 1", biggest), named("f_1", mean), named("bias: signed", signed)]
model = Sequential([Dense(2, input_shape=(2,))])
model.compile(loss="mse", optimizer="sgd", metrics=metrics)
x = np.random.rand(20, 2)


class Batch(type(written_down.steps())):
    names = {"f 1": "f_1", "f_1": "f_1_2", "bias: signed": "bias_signed", "loss": "loss"}

    def on_train_batch_end(self, batch, logs=None):
        for name, value in logs.items():
            if name in self.names:
                written_down.stepped(value, [self.names[name]])


written_down.began(model)
h = model.fit(x, x[:, ::-1], epochs=2, batch_size=5, verbose=0, callbacks=[Batch()])
h.history = {Batch.names[name]: values for name, values in h.history.items()}
written_down.history(h)
score = model.evaluate(x, x[:, ::-1], verbose=0)
written_down.evaluated(score, ["loss", "f_1", "f_1_2", "bias_signed"])
written_down.ended(model)
