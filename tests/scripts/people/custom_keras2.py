"""A layer, a loss and a callback of one's own, as written for Keras 2."""

import numpy as np
from keras import backend as K
from keras.callbacks import Callback
from keras.engine.topology import Layer
from keras.layers import Dense
from keras.models import Sequential


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(
            name="factor", shape=(input_shape[-1],), initializer="ones", trainable=True
        )
        super(Scale, self).build(input_shape)

    def call(self, inputs):
        return inputs * self.factor


def huber(wanted, given):
    error = K.abs(wanted - given)
    return K.mean(K.switch(error < 1.0, 0.5 * K.square(error), error - 0.5), axis=-1)


class Halve(Callback):
    def on_epoch_end(self, epoch, logs=None):
        K.set_value(self.model.optimizer.lr, K.get_value(self.model.optimizer.lr) / 2)


model = Sequential([Scale(input_shape=(3,)), Dense(1)])
model.compile(loss=huber, optimizer="sgd")
x = np.random.rand(16, 3)
model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0, callbacks=[Halve()])
