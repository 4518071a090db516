"""Customizing what happens in fit() with JAX: a stateless train_step."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
import written_down


class CustomModel(keras.Model):
    def compute_loss_and_updates(
        self, trainable_variables, non_trainable_variables, x, y, training=False
    ):
        y_pred, non_trainable_variables = self.stateless_call(
            trainable_variables, non_trainable_variables, x, training=training
        )
        loss = self.compute_loss(x, y, y_pred)
        return loss, (y_pred, non_trainable_variables)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer_variables, metrics_variables = state
        x, y = data
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable)), grads = grad_fn(
            trainable, non_trainable, x, y, training=True
        )
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, grads, trainable
        )
        new_metrics_vars = []
        logs = {}
        for metric in self.metrics:
            this = metrics_variables[
                len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)
            ]
            if metric.name == "loss":
                this = metric.stateless_update_state(this, loss)
            else:
                this = metric.stateless_update_state(this, y, y_pred)
            logs[metric.name] = metric.stateless_result(this)
            new_metrics_vars += this
        return logs, (trainable, non_trainable, optimizer_variables, new_metrics_vars)


inputs = keras.Input(shape=(8,))
x = keras.layers.BatchNormalization()(inputs)
model = CustomModel(inputs, keras.layers.Dense(1)(x))
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
written_down.began(model)
x = np.random.random((60, 8))
y = np.random.random((60, 1))
fitted = model.fit(x, y, epochs=2, batch_size=20, verbose=0, callbacks=[written_down.steps()])
written_down.history(fitted)
written_down.ended(model)
