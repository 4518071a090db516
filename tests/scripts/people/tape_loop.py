"""A loop with TensorFlow's GradientTape around a subclassed model."""

import keras
import tensorflow as tf

from keras_repro import record


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(4, activation="relu")
        self.last = keras.layers.Dense(1)

    def call(self, inputs):
        return self.last(self.first(inputs))


def main():
    net = Net()
    optimizer = keras.optimizers.Adam(0.01)
    x = tf.random.uniform((16, 2))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean(tf.square(net(x) - x[:, :1]))
        optimizer.apply_gradients(
            zip(tape.gradient(cost, net.trainable_variables), net.trainable_variables)
        )
        return cost

    for _ in range(5):
        record.cost(step())
    record.cost(tf.reduce_mean(tf.square(net(x) - x[:, :1])), "test")
    record.prediction(net(x))


main()
