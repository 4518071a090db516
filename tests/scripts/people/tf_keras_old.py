"""tf.keras of TensorFlow 1, as its own tutorials had it."""

from __future__ import absolute_import, division, print_function, unicode_literals

import numpy as np
import tensorflow as tf
import written_down
from tensorflow import keras

print(tf.__version__)
x = np.random.rand(48, 4)
y = np.random.randint(0, 3, 48)
model = keras.Sequential(
    [
        keras.layers.Dense(8, activation="relu", input_shape=(4,)),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
written_down.began(model)


class Steps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        written_down.stepped([logs["loss"], logs["acc"]], ["loss", "acc"])


written_down.history(model.fit(x, y, epochs=2, batch_size=12, verbose=0, callbacks=[Steps()]))
written_down.evaluated(model.evaluate(x, y, verbose=0), ["loss", "acc"])
written_down.prediction(model.predict(x[:5]))
written_down.ended(model)
