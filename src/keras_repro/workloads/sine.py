"""An LSTM and a GRU that continue a sine wave.

Each sees 10 points of a wave and predicts the next. Runs unchanged under Keras 2.3.1 and Keras 3.
"""

import numpy as np
from keras.layers import GRU, LSTM, Dense
from keras.models import Sequential

np.random.seed(5)

# The data: windows of one wave with a little noise.
wave = np.sin(np.arange(120) * 0.3) + np.random.normal(0, 0.02, 120)
windows = np.stack([wave[start : start + 10] for start in range(110)])
windows = windows[:, :, None].astype("float32")
following = wave[10:, None].astype("float32")

for layer in (LSTM, GRU):
    model = Sequential([layer(6, input_shape=(10, 1)), Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    model.fit(windows[:96], following[:96], batch_size=16, epochs=3, verbose=2)
    print("test:", model.evaluate(windows[96:], following[96:], verbose=0))
    model.predict(windows[96:])
