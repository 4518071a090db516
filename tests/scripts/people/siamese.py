"""Learns whether two points are of one kind: one base network for both, and their cosine."""

import random

import numpy as np
import written_down
from keras.layers import Dense, Dot, Dropout, Input
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

random.seed(1)


def create_pairs(points, kinds):
    """Positive and negative pairs, alternating."""
    pairs, same = [], []
    for i in range(len(points)):
        for wanted in (1, 0):
            others = [j for j in range(len(points)) if (kinds[j] == kinds[i]) == bool(wanted)]
            pairs.append([points[i], points[random.choice(others)]])
            same.append(wanted)
    return np.array(pairs), np.array(same, "float32")


def create_base_network(size):
    network = Sequential(name="base")
    network.add(Dense(8, input_shape=(size,), activation="relu"))
    network.add(Dropout(0.1))
    network.add(Dense(4))
    return network


kinds = np.repeat([0, 1, 2], 8)
points = np.random.RandomState(2).randn(24, 5) + kinds[:, None]
pairs, same = create_pairs(points, kinds)

base_network = create_base_network(5)
input_a = Input(shape=(5,))
input_b = Input(shape=(5,))
# the same network twice, so the weights are shared
cosine = Dot(axes=1, normalize=True)([base_network(input_a), base_network(input_b)])
model = Model([input_a, input_b], cosine)
model.compile(loss="mse", optimizer=RMSprop(0.01))
written_down.began(model)
written_down.history(
    model.fit(
        [pairs[:, 0], pairs[:, 1]],
        same,
        batch_size=12,
        epochs=2,
        verbose=0,
        callbacks=[written_down.steps()],
    )
)
near = written_down.prediction(model.predict([pairs[:, 0], pairs[:, 1]]))
print("accuracy", np.mean((near.ravel() > 0.5) == same))
written_down.prediction(base_network.predict(points), 2)
written_down.ended(model)
written_down.ended(base_network, 2)
written_down.only_partly("initial_weights")  # the base's are the model's
