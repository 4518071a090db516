"""Gradient accumulation with a tape, in a plain loop and in a model's own train_step."""

import keras
import numpy as np
import tensorflow as tf
import written_down

rng = np.random.RandomState(0)
xs = rng.rand(48, 6).astype("float32")
ys = xs.sum(1, keepdims=True)
net = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)]
)
written_down.began(net)
optimizer = keras.optimizers.Adam(1e-2)
loss_fn = keras.losses.MeanSquaredError()
n_gradients = 3
accumulated = [tf.Variable(tf.zeros_like(v), trainable=False) for v in net.trainable_variables]


@tf.function
def micro_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, net(x, training=True)) / n_gradients
    for total, gradient in zip(accumulated, tape.gradient(loss, net.trainable_variables)):
        total.assign_add(gradient)
    return loss


def update():
    optimizer.apply_gradients(zip([tf.identity(a) for a in accumulated], net.trainable_variables))
    for total in accumulated:
        total.assign(tf.zeros_like(total))


for epoch in range(2):
    for index, start in enumerate(range(0, 48, 8)):
        written_down.cost(micro_step(xs[start : start + 8], ys[start : start + 8]))
        if (index + 1) % n_gradients == 0:
            update()


class GAModel(keras.Model):
    def __init__(self, n_gradients, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.n_gradients = tf.constant(n_gradients, dtype=tf.int32)
        self.n_acum_step = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.gradient_accumulation = [
            tf.Variable(tf.zeros_like(v), trainable=False) for v in self.trainable_variables
        ]

    def train_step(self, data):
        self.n_acum_step.assign_add(1)
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign_add(gradients[i])
        tf.cond(
            tf.equal(self.n_acum_step, self.n_gradients), self.apply_accu_gradients, lambda: None
        )
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    def apply_accu_gradients(self):
        self.optimizer.apply_gradients(
            zip([tf.identity(g) for g in self.gradient_accumulation], self.trainable_variables)
        )
        self.n_acum_step.assign(0)
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign(
                tf.zeros_like(self.trainable_variables[i], dtype=tf.float32)
            )


inputs = keras.Input((6,))
model = GAModel(
    2,
    inputs=inputs,
    outputs=keras.layers.Dense(1)(keras.layers.Dense(5, activation="relu")(inputs)),
)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse", metrics=["mae"])
written_down.began(model, 2)
h = model.fit(xs, ys, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps(2)])
written_down.history(h, 2)
written_down.step_count(4 + 12)
written_down.ended(net)
written_down.ended(model, 2)
