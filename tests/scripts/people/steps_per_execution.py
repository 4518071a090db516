"""Several steps in one call of the compiled function."""

import keras
import numpy as np
import written_down

x = np.random.rand(160, 3).astype("float32")
y = x @ np.array([[0.5], [-1.0], [2.0]], "float32")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse", steps_per_execution=8)
written_down.began(model)
# 40 batches an epoch, in 5 executions
written_down.history(
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[written_down.steps()])
)
written_down.step_count(80)
written_down.prediction(model.predict(x, batch_size=16, verbose=0))
written_down.ended(model)
