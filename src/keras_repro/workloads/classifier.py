"""A classifier with batch normalisation and dropout, trained by ``fit`` with validation data.

The data are 300 points on two intertwined half circles, with noise. Runs unchanged under Keras
2.3.1 and Keras 3.
"""

import numpy as np
from keras.layers import Activation, BatchNormalization, Dense, Dropout
from keras.models import Sequential

np.random.seed(7)

# The data: an upper half circle of class 0, a lower one of class 1.
angles = np.pi * np.random.rand(300)
classes = np.arange(300) % 2
points = np.stack([np.cos(angles) + classes, np.sin(angles) * (1 - 2 * classes)], axis=1)
points = (points + np.random.normal(0, 0.1, points.shape)).astype("float32")
classes = classes.astype("float32")

model = Sequential()
model.add(Dense(16, input_shape=(2,)))
model.add(BatchNormalization())
model.add(Activation("relu"))
model.add(Dropout(0.25))
model.add(Dense(8, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])

model.fit(
    points[:240],
    classes[:240],
    batch_size=32,
    epochs=5,
    validation_data=(points[240:], classes[240:]),
    verbose=2,
)
print("test:", model.evaluate(points[240:], classes[240:], verbose=0))
model.predict(points[240:])
