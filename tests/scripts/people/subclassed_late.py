"""A subclassed model that is built by its first batch."""

import numpy as np
import written_down
from keras.layers import Dense, Dropout
from keras.models import Model


class TwoLayerNet(Model):
    def __init__(self, hidden):
        super(TwoLayerNet, self).__init__()
        self.hidden = Dense(hidden, activation="relu")
        self.dropout = Dropout(0.3)
        self.out = Dense(2)

    def call(self, inputs):
        return self.out(self.dropout(self.hidden(inputs)))


def main():
    rng = np.random.RandomState(9)
    x = rng.rand(36, 5).astype("float32")
    y = np.stack([x.sum(axis=1), x.prod(axis=1)], axis=1)
    net = TwoLayerNet(6)
    net.compile(optimizer="adagrad", loss="mean_absolute_error", metrics=["mse"])
    for start in range(0, 36, 12):
        result = net.train_on_batch(x[start : start + 12], y[start : start + 12])
        written_down.stepped(result, ["loss", "mse"])
    fitted = net.fit(x, y, batch_size=12, epochs=2, verbose=0, callbacks=[written_down.steps()])
    written_down.history(fitted)
    written_down.evaluated(net.test_on_batch(x, y), ["loss", "mse"])
    written_down.prediction(net.predict_on_batch(x[:4]))
    written_down.ended(net)
    # what it began with nobody knows who has not looked before its first step
    written_down.only_partly("initial_weights")


main()
