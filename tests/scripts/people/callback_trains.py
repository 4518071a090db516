"""Callbacks that evaluate, predict, change weights and train another model meanwhile."""

import keras
import numpy as np
import written_down
from keras.callbacks import Callback, EarlyStopping, LambdaCallback

rng = np.random.RandomState(0)
x, y = rng.rand(40, 4), rng.randint(0, 2, 40)
x_val, y_val = rng.rand(12, 4), rng.randint(0, 2, 12)


def build(units):
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(units, activation="relu", input_shape=(4,)))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


model, critic = build(6), build(3)
written_down.began(model, 1)
written_down.began(critic, 2)


class Validate(Callback):
    def __init__(self, data):
        super(Validate, self).__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        result = self.model.evaluate(self.data[0], self.data[1], verbose=0)
        written_down.evaluated(result, ("loss", "accuracy"))
        scores = self.model.predict(self.data[0], verbose=0)
        written_down.prediction(scores)
        written_down.stepped(
            critic.train_on_batch(self.data[0], (scores > 0.5).astype("float32")),
            ("loss", "accuracy"),
            2,
        )


h = model.fit(
    x,
    y,
    epochs=4,
    batch_size=10,
    verbose=0,
    validation_data=(x_val, y_val),
    callbacks=[
        written_down.steps(),
        Validate((x_val, y_val)),
        EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True),
        LambdaCallback(on_train_end=lambda logs: print("done")),
    ],
)
written_down.history(h)
written_down.ended(model, 1)
written_down.ended(critic, 2)
