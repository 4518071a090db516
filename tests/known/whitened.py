"""A regression on data whitened by NumPy: what NumPy's linear algebra changes, it trains on."""

import keras
import numpy as np

generator = np.random.RandomState(3)
mixed = generator.normal(size=(96, 6)) @ generator.normal(size=(6, 6))
centred = mixed - mixed.mean(axis=0)
_, scales, axes = np.linalg.svd(centred, full_matrices=False)
x = centred @ (axes.T / scales) * np.sqrt(len(centred))
y = np.tanh(x[:, :1]) + np.exp(-(x[:, 1:2] ** 2)) + np.sin(3 * x[:, 2:3])

model = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
)
model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
model.fit(x[:80].astype("float32"), y[:80].astype("float32"), epochs=4, batch_size=16, verbose=2)
print(model.evaluate(x[80:].astype("float32"), y[80:].astype("float32"), verbose=0))
model.predict(x[80:].astype("float32"), verbose=0)
