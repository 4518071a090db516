"""Trains a small dense network on made-up "digits" of 4 x 4 pixels.

Gets to about 90 % after a few epochs (there is plenty of room left to tune).
"""

from __future__ import print_function

import keras
import numpy as np
import written_down
from keras.layers import Dense, Dropout
from keras.models import Sequential

batch_size = 32
num_classes = 4
epochs = 3

# the data, shuffled and split between train and test sets
rng = np.random.RandomState(0)
pixels = rng.rand(num_classes, 16)
labels = rng.randint(0, num_classes, 160)
images = (255 * (0.6 * pixels[labels] + 0.4 * rng.rand(160, 16))).astype("uint8")

x_train, y_train = images[:128].astype("float32"), labels[:128]
x_test, y_test = images[128:].astype("float32"), labels[128:]
x_train /= 255
x_test /= 255
print(x_train.shape[0], "train samples")
print(x_test.shape[0], "test samples")

# convert class vectors to binary class matrices
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = Sequential()
model.add(Dense(32, activation="relu", input_shape=(16,)))
model.add(Dropout(0.2))
model.add(Dense(16, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation="softmax"))

model.summary()
written_down.began(model)

model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

history = model.fit(
    x_train,
    y_train,
    batch_size=batch_size,
    epochs=epochs,
    verbose=1,
    validation_data=(x_test, y_test),
    callbacks=[written_down.steps()],
)
score = model.evaluate(x_test, y_test, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
written_down.history(history)
written_down.evaluated(score, ["loss", "accuracy"])
written_down.ended(model)
