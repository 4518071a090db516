"""Uses Keras' Model in every way that is recorded, and prints what it was given.

Runs under Keras 2.3.1 and 3. The last line is JSON: the arrays, by the key they must be kept
under, as nested lists of hexadecimal floats.
"""

import json

import keras
import numpy as np
from keras.layers import Dense, Dropout, Input, concatenate
from keras.models import Model, Sequential

np.random.seed(3)
kept = {}


def keep(key, value):
    kept[key] = [float(part).hex() for part in np.ravel(value)]


def keep_weights(prefix, model):
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    for index, layer in enumerate(layers):
        names = ("kernel", "bias") if layer.get_weights() else ()
        for name, value in zip(names, layer.get_weights()):
            keep("%s/%d.dense.%s" % (prefix, index, name), value)


x = np.random.rand(12, 3).astype("float32")
y = np.random.rand(12, 1).astype("float32")

# A Sequential model with a metric, its input shape given.
first = Sequential()
first.add(Dense(4, input_shape=(3,), activation="tanh"))
first.add(Dropout(0.5))
first.add(Dense(1))
first.compile(loss="mse", optimizer="adam", metrics=["mae"])
keep_weights("initial_weights", first)
steps = [first.train_on_batch(x[:4], y[:4]) for _ in range(5)]
history = first.fit(x, y, batch_size=4, epochs=2, validation_data=(x[:6], y[:6]), verbose=0)
tests = [first.test_on_batch(x[4:8], y[4:8]), first.evaluate(x, y, batch_size=12, verbose=0)]
keep("costs/test", [values[0] for values in tests])
keep("metrics/test.mae", [values[1] for values in tests])
for name, values in history.history.items():
    keep("history/0." + name, values)
keep("predictions/0", first.predict(x, verbose=0))
keep("predictions/1", first.predict_on_batch(x[:2]))
keep_weights("weights", first)
kept["first costs"] = [float(values[0]).hex() for values in steps]

# A functional model with two inputs and two outputs.
left, right = Input(shape=(2,)), Input(shape=(1,))
joined = concatenate([left, right])
second = Model(inputs=[left, right], outputs=[Dense(1)(joined), Dense(2)(joined)])
second.compile(loss="mse", optimizer="sgd")
inputs, targets = [x[:, :2], x[:, 2:]], [y, np.repeat(y, 2, axis=1)]
keep("model2/costs/train", [np.ravel(second.train_on_batch(inputs, targets))[0] for _ in range(3)])
for index, value in enumerate(second.predict(inputs, verbose=0)):
    keep("model2/predictions/0.%d" % index, value)


# A subclassed model, built by its first use, predicting before it trains.
class Third(Model):
    def __init__(self):
        super(Third, self).__init__()
        self.inner = Dense(2)
        self.outer = Dense(1)

    def call(self, inputs):
        return self.outer(self.inner(inputs))


third = Third()
third.compile(loss="mse", optimizer="sgd")
keep("model3/predictions/0", third.predict_on_batch(x))
keep_weights("model3/initial_weights", third)
keep("model3/costs/train", [np.ravel(third.train_on_batch(x, y))[0] for _ in range(2)])
keep_weights("model3/weights", third)


# A callback of the script's own that predicts in the middle of fit.
class Peek(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        keep("model3/predictions/%d" % (epoch + 1), third.predict(x[:2], verbose=0))


third.fit(x, y, batch_size=6, epochs=2, verbose=0, callbacks=[Peek()])
keep_weights("model3/weights", third)
kept.pop("model3/costs/train")

print(json.dumps(kept))
