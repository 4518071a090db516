"""Data by tf.data."""

import keras
import numpy as np
import tensorflow as tf

x = np.random.rand(32, 2).astype("float32")
data = (
    tf.data.Dataset.from_tensor_slices((x, x[:, :1]))
    .shuffle(32)
    .batch(8)
    .map(lambda a, b: (a * 2, b), num_parallel_calls=2)
)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(data, epochs=2, verbose=0)
model.predict(data.map(lambda a, b: a), verbose=0)
