"""Predicts one by one, as one does who has not heard of batches; and a few of another size."""

import numpy as np
import written_down
from keras.layers import Dense
from keras.models import Sequential

model = Sequential([Dense(3, activation="relu", input_shape=(2,)), Dense(1)])
model.compile(loss="mse", optimizer="sgd")
written_down.began(model)
x = np.random.rand(30, 2)
written_down.history(
    model.fit(x, x[:, 0], epochs=2, batch_size=10, verbose=0, callbacks=[written_down.steps()])
)

results = []
for row in x:
    results.append(model.predict(row[np.newaxis], verbose=0))
written_down.predictions_in_a_row(results)

# few enough to stand for themselves
for part in np.split(x, 3):
    written_down.prediction(model.predict(part))
written_down.prediction(model.predict(x))
written_down.ended(model)
