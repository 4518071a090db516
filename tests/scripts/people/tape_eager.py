"""Writing a training loop from scratch: GradientTape, eager, a validation loop at each epoch."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
import written_down

keras.utils.set_random_seed(21)


def get_model():
    inputs = keras.Input(shape=(6,), name="digits")
    x1 = keras.layers.Dense(8, activation="relu")(inputs)
    x2 = keras.layers.Dense(8, activation="relu")(x1)
    return keras.Model(inputs=inputs, outputs=keras.layers.Dense(3, name="predictions")(x2))


x = np.random.rand(60, 6).astype("float32")
y = np.argmax(x[:, :3], axis=1)
train_dataset = tf.data.Dataset.from_tensor_slices((x[:48], y[:48]))
train_dataset = train_dataset.shuffle(buffer_size=64).batch(12)
val_dataset = tf.data.Dataset.from_tensor_slices((x[48:], y[48:])).batch(12)

model = get_model()
written_down.began(model)
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.SparseCategoricalAccuracy()
val_acc_metric = keras.metrics.SparseCategoricalAccuracy()

for epoch in range(3):
    print(f"\nStart of epoch {epoch}")
    for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):
        with tf.GradientTape() as tape:
            logits = model(x_batch_train, training=True)
            loss_value = loss_fn(y_batch_train, logits)
        grads = tape.gradient(loss_value, model.trainable_weights)
        optimizer.apply(grads, model.trainable_weights)
        train_acc_metric.update_state(y_batch_train, logits)
        written_down.cost(loss_value)
        if step % 2 == 0:
            print(f"Training loss at step {step}: {float(loss_value):.4f}")
    print(f"Training acc over epoch: {float(train_acc_metric.result()):.4f}")
    train_acc_metric.reset_state()
    for x_batch_val, y_batch_val in val_dataset:
        val_acc_metric.update_state(y_batch_val, model(x_batch_val, training=False))
    val_acc_metric.reset_state()
written_down.ended(model)
