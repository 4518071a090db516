"""Training with K.function and get_updates, as one did before custom loops had a name."""

import numpy as np
import written_down
from keras import backend as K
from keras.layers import Dense, Input
from keras.losses import mean_squared_error
from keras.models import Model
from keras.optimizers import SGD

state = Input(shape=(4,))
hidden = Dense(6, activation="relu")(state)
value = Dense(1)(hidden)
model = Model(inputs=state, outputs=value)

target = K.placeholder(shape=(None, 1))
loss = K.mean(mean_squared_error(target, model.output))
optimizer = SGD(0.05)
updates = optimizer.get_updates(loss=loss, params=model.trainable_weights)
train_fn = K.function([model.input, target], [loss], updates=updates)

written_down.began(model)
rng = np.random.RandomState(12)
x = rng.rand(32, 4)
y = x.prod(axis=1, keepdims=True)
for epoch in range(2):
    for i in range(0, 32, 8):
        (cost,) = train_fn([x[i : i + 8], y[i : i + 8]])
        written_down.cost(cost)
    print("epoch", epoch, "loss", cost)
written_down.ended(model)
