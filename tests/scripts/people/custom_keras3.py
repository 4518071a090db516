"""A layer, a loss and a callback of one's own, as written for Keras 3."""

import keras
import numpy as np
from keras import ops


class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor


@keras.saving.register_keras_serializable()
def huber(wanted, given):
    error = ops.abs(wanted - given)
    return ops.mean(ops.where(error < 1.0, 0.5 * ops.square(error), error - 0.5), axis=-1)


class Halve(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.model.optimizer.learning_rate / 2


model = keras.Sequential([keras.Input((3,)), Scale(), keras.layers.Dense(1)])
model.compile(loss=huber, optimizer="sgd")
x = np.random.rand(16, 3)
model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0, callbacks=[Halve()])
