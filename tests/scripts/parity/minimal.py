"""Layers that are called in every way; some are configured otherwise on PyTorch."""

import keras
import numpy as np
from keras import layers

TORCH = keras.backend.backend() == "torch"
draw = np.random.RandomState(0)
words = draw.randint(0, 5, (8, 6)).astype("int32")
words[:, 0] = 1
other = "sigmoid" if TORCH else "tanh"

given = keras.Input((6,), dtype="int32")
embedded = layers.Embedding(5, 4, mask_zero=True)(given)
lstm = layers.LSTM(4, return_sequences=True, return_state=True, activation=other, name="lstm")
sequence, state, carry = lstm(embedded)
recurrent = layers.SimpleRNN(4, name="recurrent")(embedded, initial_state=state)
plain = layers.Reshape((6, 4))(layers.Flatten()(sequence))  # without a mask
attended = layers.MultiHeadAttention(2, 3, name="attention")(plain, embedded)
normal = layers.BatchNormalization(epsilon=0.5 if TORCH else 1e-3, name="normal")(attended)
flat = layers.Flatten()(normal)
many = layers.Concatenate(name="many")([recurrent] * 12)
output = layers.Dense(1, name="same")(layers.Concatenate()([flat, many, carry]))
model = keras.Model(given, output)
model.compile("sgd", "mse")
model.fit(words, draw.rand(8, 1).astype("float32"), verbose=0)
twin = keras.Sequential([keras.Input((3,)), layers.LeakyReLU(0.1 if TORCH else 0.3, name="lstm")])
twin.predict(draw.randn(4, 3).astype("float32"), verbose=0)
