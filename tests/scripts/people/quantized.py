"""A model that is trained, then quantized to int8, and predicts with that."""

import keras
import numpy as np
import written_down

x = np.random.RandomState(0).rand(40, 6).astype("float32")
model = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)]
)
model.compile("adam", "mse")
written_down.began(model)
written_down.history(
    model.fit(x, x.sum(1), batch_size=10, epochs=2, verbose=0, callbacks=[written_down.steps()])
)
written_down.prediction(model.predict(x[:4], verbose=0))
model.quantize("int8")
written_down.prediction(model.predict(x[:4], verbose=0))
written_down.only_partly("weights", "initial_weights")
