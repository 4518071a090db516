"""Transfer learning in two phases: a head on a frozen base with weights from a file, then all."""

import numpy as np
import written_down
from keras.layers import BatchNormalization, Dense, Input
from keras.models import Model, Sequential
from keras.optimizers import SGD


def make_base():
    base = Sequential(name="base")
    base.add(Dense(6, activation="relu", input_shape=(4,)))
    base.add(BatchNormalization())
    base.add(Dense(3, activation="relu"))
    return base


np.random.seed(100)
x = np.random.rand(32, 4)

# 1. what somebody trained before, kept in a file
source = make_base()
source.compile(loss="mse", optimizer=SGD(0.1))
written_down.began(source, 1)
for _ in range(4):
    written_down.stepped(source.train_on_batch(x, x[:, :3]), of=1)
source.save_weights("base.weights.h5")
written_down.ended(source, 1)

# 2. a new base with these weights, frozen, and a head of its own
base = make_base()
written_down.began(base, 3)
inputs = Input(shape=(4,))
model = Model(inputs, Dense(1, name="head")(base(inputs)))
written_down.began(model, 2)
base.load_weights("base.weights.h5")
base.trainable = False
model.compile(loss="mse", optimizer=SGD(0.05), metrics=["mae"])
y = x.sum(axis=1)
first = model.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps(2)])
written_down.history(first, 2)

# 3. fine-tuning
base.trainable = True
model.compile(loss="mse", optimizer=SGD(0.005), metrics=["mae"])
second = model.fit(x, y, epochs=1, batch_size=8, verbose=0, callbacks=[written_down.steps(2)])
written_down.history(second, 2)
written_down.evaluated(model.evaluate(x, y, verbose=0), ["loss", "mae"], 2)
written_down.ended(model, 2)
written_down.prediction(base.predict(x), 3)
written_down.ended(base, 3)
