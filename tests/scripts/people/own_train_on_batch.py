"""A model with a train_on_batch of its own: it takes two halves of each batch in turn."""

import numpy as np
import written_down
from keras.layers import Dense, Input
from keras.models import Model


class Halves(Model):
    def train_on_batch(self, x, y, **kwargs):
        middle = len(x) // 2
        losses = []
        for part in (slice(0, middle), slice(middle, None)):
            loss = super(Halves, self).train_on_batch(x[part], y[part], **kwargs)
            losses.append(float(np.ravel(loss)[0]))
        return sum(losses) / 2


inputs = Input(shape=(3,))
model = Halves(inputs, Dense(1)(Dense(4, activation="tanh")(inputs)))
model.compile(loss="mse", optimizer="sgd")
x = np.random.rand(16, 3)
y = x.max(axis=1, keepdims=True)
written_down.began(model)
for epoch in range(5):
    mean = model.train_on_batch(x, y)
    written_down.cost(mean)  # what the script calls the loss of its step
    print("epoch %d, loss %.4f" % (epoch, mean))
written_down.evaluated(model.test_on_batch(x, y))
written_down.ended(model)
