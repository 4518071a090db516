"""A loop in plain PyTorch around a Keras model."""

import keras
import numpy as np
import torch

from keras_repro import record

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4), keras.layers.Dense(1)])
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.from_numpy(np.random.rand(16, 2).astype("float32"))
for _ in range(5):
    optimizer.zero_grad()
    cost = torch.nn.functional.mse_loss(model(x), x[:, :1])
    cost.backward()
    optimizer.step()
    record.cost(cost)
record.prediction(model(x))
record.array("gradients/first", model.layers[0].kernel.value.grad)
