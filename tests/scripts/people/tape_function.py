"""The advanced quickstart: a subclassed model, train_step and test_step as tf.functions."""

import keras
import numpy as np
import tensorflow as tf
import written_down
from keras import Model
from keras.layers import Conv2D, Dense, Flatten

rng = np.random.RandomState(5)
images = rng.rand(40, 6, 6, 1).astype("float32")
labels = (images.mean(axis=(1, 2, 3)) > 0.5).astype("int64")
train_ds = tf.data.Dataset.from_tensor_slices((images[:32], labels[:32])).shuffle(100).batch(8)
test_ds = tf.data.Dataset.from_tensor_slices((images[32:], labels[32:])).batch(8)


class MyModel(Model):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(4, 3, activation="relu")
        self.flatten = Flatten()
        self.d1 = Dense(6, activation="relu")
        self.d2 = Dense(2)

    def call(self, x):
        x = self.conv1(x)
        x = self.flatten(x)
        x = self.d1(x)
        return self.d2(x)


model = MyModel()
loss_object = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam()
train_loss = keras.metrics.Mean(name="train_loss")
test_loss = keras.metrics.Mean(name="test_loss")


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_object(labels, predictions)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)
    return loss


@tf.function
def test_step(images, labels):
    test_loss(loss_object(labels, model(images, training=False)))


for epoch in range(2):
    train_loss.reset_state()
    test_loss.reset_state()
    for batch, target in train_ds:
        written_down.cost(train_step(batch, target))
    for batch, target in test_ds:
        test_step(batch, target)
    print(f"Epoch {epoch + 1}, Loss: {train_loss.result():0.3f}, {test_loss.result():0.3f}")
written_down.ended(model)
written_down.only_partly("initial_weights")  # it was built in the first step
