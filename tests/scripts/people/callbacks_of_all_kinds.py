"""Every callback of the tutorial at once."""

import csv

import numpy as np
import written_down
from keras.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from keras.layers import Dense
from keras.models import Sequential


def step_decay(epoch):
    return 0.2 * 0.5 ** (epoch // 2)


class LossHistory(Callback):
    """The one of the documentation, which keeps the loss of each batch."""

    def on_train_begin(self, logs={}):
        self.losses = []
        written_down.began(self.model)

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))


np.random.seed(5)
X = np.random.rand(40, 3)
Y = X.dot([[1.0], [2.0], [-1.0]])
net = Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(1)])
net.compile("sgd", "mean_squared_error")
loss_history = LossHistory()
seen = []
result = net.fit(
    X[:32],
    Y[:32],
    8,
    12,
    verbose=0,
    validation_data=(X[32:], Y[32:]),
    callbacks=[
        LearningRateScheduler(step_decay),
        # worse on purpose from the first epoch on, so that it stops and goes back
        EarlyStopping(monitor="val_loss", mode="max", patience=3, restore_best_weights=True),
        ReduceLROnPlateau(patience=50),
        CSVLogger("log.csv"),
        LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_loss"])),
        loss_history,
    ],
)
for loss in loss_history.losses:
    written_down.cost(loss)
written_down.history(result)
assert len(seen) == len(result.epoch) == 4, seen
with open("log.csv") as f:
    print(len(list(csv.DictReader(f))), "epochs in the log")
written_down.ended(net)
