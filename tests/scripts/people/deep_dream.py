"""Gradient ascent on an input with K.gradients: nothing is trained here after fit."""

from __future__ import print_function

import numpy as np
import written_down
from keras import backend as K
from keras.layers import Dense
from keras.models import Sequential

model = Sequential([Dense(5, activation="tanh", input_shape=(3,)), Dense(2)])
model.compile("sgd", "mse")
written_down.began(model)
data = np.random.rand(24, 3)
written_down.history(
    model.fit(
        data, data[:, :2], epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps()]
    )
)

dream = model.input
loss = K.sum(K.square(model.layers[0].output))
grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
fetch_loss_and_grads = K.function([dream], [loss, grads])

x = np.random.rand(1, 3)
for i in range(4):
    loss_value, grad_values = fetch_loss_and_grads([x])
    print("..Loss value at", i, ":", loss_value)
    x += 0.1 * grad_values
written_down.prediction(model.predict(x))
written_down.ended(model)
