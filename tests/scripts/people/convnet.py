"""A convnet on pictures from an npz file, channels last, with a depthwise layer."""

import os

import numpy as np
import written_down
from keras import backend as K
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D, SeparableConv2D
from keras.models import Sequential

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "pictures.npz")

with np.load(PATH) as data:
    x, y = data["x"], data["y"]
assert K.image_data_format() == "channels_last"
x = x.astype("float32")[..., np.newaxis] / 255.0

model = Sequential()
model.add(Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 1)))
model.add(MaxPooling2D((2, 2)))
model.add(SeparableConv2D(6, 2, activation="relu"))
model.add(Flatten())
model.add(Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()
written_down.began(model)
history = model.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps()])
written_down.history(history)
test_loss, test_acc = model.evaluate(x, y, verbose=0)
written_down.evaluated([test_loss, test_acc], ["loss", "accuracy"])
print(test_acc)
written_down.ended(model)
