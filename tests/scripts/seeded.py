"""Seeds itself, trains with everything random, and prints a digest of every number.

Watched or not, it must print the same: observing changes no bit.
"""

import hashlib
import random

import numpy as np

random.seed(5)
np.random.seed(5)

import keras  # noqa: E402
from keras import layers  # noqa: E402
from keras.models import Sequential  # noqa: E402

tensorflow1 = keras.backend.backend() == "tensorflow" and keras.__version__.startswith("2")
if tensorflow1:
    import tensorflow as tf

    tf.compat.v1.set_random_seed(5)
elif hasattr(keras.utils, "set_random_seed"):
    keras.utils.set_random_seed(5)

digest = hashlib.sha256()


def add(values):
    for value in values if isinstance(values, (list, tuple)) else [values]:
        digest.update(np.asarray(value, dtype="float64").tobytes())


images = np.random.rand(24, 8, 8, 1).astype("float32")
labels = np.random.randint(0, 3, 24)

model = Sequential()
model.add(layers.Conv2D(4, (3, 3), input_shape=(8, 8, 1)))
model.add(layers.BatchNormalization())
model.add(layers.Activation("relu"))
model.add(layers.Dropout(0.4))
model.add(layers.GaussianNoise(0.1))
model.add(layers.Flatten())
model.add(layers.Dense(3, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

add(model.predict(images[:4], verbose=0))
for start in range(0, 24, 8):
    add(model.train_on_batch(images[start : start + 8], labels[start : start + 8]))
history = model.fit(images, labels, batch_size=8, epochs=3, shuffle=True, verbose=0)
add([history.history[name] for name in sorted(history.history)])
add(model.evaluate(images, labels, verbose=0))

if tensorflow1:
    # Without a seed of its own, an operation's seed depends on how many came before it.
    add(keras.backend.get_session().run(tf.random.normal((4,))))
second = Sequential()
second.add(layers.Dense(2, input_shape=(3,), kernel_initializer="glorot_uniform"))
second.compile(loss="mse", optimizer="rmsprop")
add(second.train_on_batch(images[:, 0, :3, 0], images[:, 1, :2, 0]))
add(second.predict_on_batch(images[:, 0, :3, 0]))
for watched in (model, second):
    add(watched.get_weights())
add(np.random.rand(3))
add(random.random())
print("DIGEST", digest.hexdigest())
