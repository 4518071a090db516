"""tf.data from end to end: windows of a series, cached, prefetched, with a validation set."""

import numpy as np
import tensorflow as tf
import written_down
from tensorflow import keras

tf.random.set_seed(42)
keras.utils.set_random_seed(42)
SERIES = np.sin(np.arange(80) / 5).astype("float32")


def windowed_dataset(series, window_size, batch_size, shuffle_buffer):
    dataset = tf.data.Dataset.from_tensor_slices(series)
    dataset = dataset.window(window_size + 1, shift=1, drop_remainder=True)
    dataset = dataset.flat_map(lambda window: window.batch(window_size + 1))
    dataset = dataset.map(lambda window: (window[:-1], window[-1]))
    return dataset.shuffle(shuffle_buffer).batch(batch_size).prefetch(1)


train = windowed_dataset(SERIES[:60], 4, 8, 20)
valid = windowed_dataset(SERIES[60:], 4, 8, 20).cache()
model = keras.models.Sequential(
    [keras.layers.Dense(6, input_shape=[4], activation="relu"), keras.layers.Dense(1)]
)
model.compile(loss="huber", optimizer=keras.optimizers.SGD(learning_rate=1e-2, momentum=0.9))
written_down.began(model)
history = model.fit(
    train, epochs=2, validation_data=valid, verbose=0, callbacks=[written_down.steps()]
)
written_down.history(history)
written_down.evaluated(model.evaluate(valid, verbose=0))
written_down.prediction(model.predict(valid.map(lambda x, y: x), verbose=0))
written_down.ended(model)
