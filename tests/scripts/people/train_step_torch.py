"""Customizing what happens in fit() with PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
import written_down


class CustomModel(keras.Model):
    def train_step(self, data):
        x, y = data
        # the leftover value of the weights' gradients
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        trainable_weights = [v for v in self.trainable_weights]
        gradients = [v.value.grad for v in trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


inputs = keras.Input(shape=(8,))
hidden = keras.layers.Dense(6, activation="gelu")(inputs)
model = CustomModel(inputs, keras.layers.Dense(1)(hidden))
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
written_down.began(model)
x = np.random.random((60, 8))
y = np.random.random((60, 1))
fitted = model.fit(x, y, epochs=2, batch_size=20, verbose=0, callbacks=[written_down.steps()])
written_down.history(fitted)
written_down.ended(model)
