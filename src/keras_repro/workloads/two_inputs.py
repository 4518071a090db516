"""A functional model with two inputs, one layer shared by them, and two outputs.

Two points of the plane go in; their distance, and whether it is more than one, come out. Runs
unchanged under Keras 2.3.1 and Keras 3.
"""

import numpy as np
from keras.layers import Dense, Input, concatenate, subtract
from keras.models import Model

np.random.seed(3)

# The data: pairs of points.
left, right = np.random.uniform(-1, 1, (2, 200, 2)).astype("float32")
distance = np.linalg.norm(left - right, axis=1, keepdims=True).astype("float32")
far = (distance > 1).astype("float32")

first, second = Input(shape=(2,)), Input(shape=(2,))
embed = Dense(8, activation="tanh")
a, b = embed(first), embed(second)
joined = concatenate([subtract([a, b]), a, b])
hidden = Dense(8, activation="relu")(joined)
model = Model(
    inputs=[first, second],
    outputs=[Dense(1, name="distance")(hidden), Dense(1, activation="sigmoid", name="far")(hidden)],
)
model.compile(loss=["mse", "binary_crossentropy"], optimizer="adam")

history = model.fit(
    [left[:160], right[:160]], [distance[:160], far[:160]], batch_size=20, epochs=4, verbose=2
)
print("test:", model.evaluate([left[160:], right[160:]], [distance[160:], far[160:]], verbose=0))
model.predict([left[160:], right[160:]])
