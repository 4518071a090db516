"""A regression on angles and exponentials of NumPy's, in float32: its releases round them anew."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential

generator = np.random.RandomState(3)
a, b = generator.uniform(-3, 3, (2, 120)).astype("float32")
x = np.stack([np.arctan2(a, b), np.exp(a), np.tanh(b), np.sin(3 * a)], axis=1)
y = np.stack([a * b, a - b], axis=1)

model = Sequential([Dense(6, activation="tanh", input_shape=(4,)), Dense(2)])
model.compile(optimizer="sgd", loss="mse")
model.fit(x[:96], y[:96], epochs=4, batch_size=16, verbose=2)
print(model.evaluate(x[96:], y[96:], verbose=0))
model.predict(x[96:])
