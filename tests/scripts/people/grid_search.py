"""A small grid search: clear_session between trials, the results in a JSON file."""

import itertools
import json

import numpy as np
import written_down
from keras import backend as K
from keras.layers import Activation, Dense
from keras.models import Sequential

grid = {"units": [2, 4], "activation": ["relu", "tanh"]}
x = np.random.RandomState(3).rand(32, 3)
y = x[:, 0] * x[:, 1]


def objective(number, units, activation):
    K.clear_session()
    model = Sequential()
    model.add(Dense(units, input_shape=(3,)))
    model.add(Activation(activation))
    model.add(Dense(1))
    model.compile(loss="mse", optimizer="adam")
    written_down.began(model, number)
    h = model.fit(
        x,
        y,
        epochs=2,
        batch_size=8,
        verbose=0,
        validation_split=0.25,
        callbacks=[written_down.steps(number)],
    )
    written_down.history(h, number)
    written_down.ended(model, number)
    return h.history["val_loss"][-1]


trials = []
for number, values in enumerate(itertools.product(*grid.values()), 1):
    chosen = dict(zip(grid, values))
    trials.append((float(objective(number, **chosen)), chosen))
best = min(trials, key=lambda trial: trial[0])
print("best:", best)
with open("trials.json", "w") as f:
    json.dump(trials, f, indent=1)
