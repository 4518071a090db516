"""A convolutional net with strides, both kinds of padding, and both kinds of pooling.

The data are 128 noisy images of 12 x 12 pixels, with a bright row or a bright column. Runs
unchanged under Keras 2.3.1 and Keras 3.
"""

import numpy as np
from keras.layers import AveragePooling2D, Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential

np.random.seed(11)

# The data: class 0 has a bright row, class 1 a bright column.
images = np.random.normal(0, 0.3, (128, 12, 12, 1)).astype("float32")
kinds = np.arange(128) % 2
for image, kind in zip(images, kinds):
    place = np.random.randint(12)
    if kind:
        image[:, place] += 1
    else:
        image[place] += 1
classes = np.eye(2, dtype="float32")[kinds]

model = Sequential()
model.add(Conv2D(6, (3, 3), padding="same", activation="relu", input_shape=(12, 12, 1)))
model.add(MaxPooling2D((2, 2)))
model.add(Conv2D(8, (3, 3), strides=(2, 2), padding="valid", activation="relu"))
model.add(AveragePooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(2, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

for epoch in range(4):
    for start in range(0, 96, 32):
        cost = model.train_on_batch(images[start : start + 32], classes[start : start + 32])
    print("epoch", epoch, cost)
print("test:", model.evaluate(images[96:], classes[96:], verbose=0))
model.predict(images[96:])
