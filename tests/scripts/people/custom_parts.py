"""A layer that makes its weights in build, a metric with a state, a schedule and a regularizer."""

import keras
import numpy as np
import written_down
from keras import ops


class Linear(keras.layers.Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", name="w"
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        self.add_loss(1e-2 * ops.mean(ops.square(self.w)))
        return ops.matmul(inputs, self.w) + self.b


class Within(keras.metrics.Metric):
    """How many are within a tenth."""

    def __init__(self, name="within", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.all = self.add_weight(name="all", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = ops.cast(ops.abs(y_true - y_pred) < 0.1, "float32")
        self.hits.assign_add(ops.sum(near))
        self.all.assign_add(ops.cast(ops.size(near), "float32"))

    def result(self):
        return self.hits / (self.all + 1e-7)


schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=4, decay_rate=0.5)
model = keras.Sequential([Linear(6), keras.layers.Activation("tanh"), Linear(1)])
model.compile(optimizer=keras.optimizers.Lion(schedule), loss="mse", metrics=[Within()])
x = np.random.rand(30, 3).astype("float32")
y = x.mean(axis=1, keepdims=True)
model.build((None, 3))
written_down.began(model)
log = model.fit(x, y, batch_size=6, epochs=2, verbose=0, callbacks=[written_down.steps()])
written_down.history(log)
written_down.evaluated(model.evaluate(x, y, verbose=0), ["loss", "within"])
written_down.ended(model)
