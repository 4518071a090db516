"""Mixed precision: bfloat16 inside, float32 weights and output, all by a policy."""

import keras
import numpy as np
import written_down

keras.mixed_precision.set_global_policy("mixed_bfloat16")

inputs = keras.Input(shape=(6,))
x = keras.layers.Dense(8, activation="relu", name="dense_1")(inputs)
print(x.dtype, "inside")
x = keras.layers.Dense(8, activation="relu", name="dense_2")(x)
features = keras.Model(inputs, x)
outputs = keras.layers.Dense(3, activation="softmax", dtype="float32", name="predictions")(x)
model = keras.Model(inputs, outputs)
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])

rng = np.random.default_rng(4)
x_train = rng.random((48, 6), "float32")
y_train = rng.integers(0, 3, 48)
written_down.began(model)
fitted = model.fit(
    x_train, y_train, batch_size=16, epochs=2, verbose=0, callbacks=[written_down.steps()]
)
written_down.history(fitted)
written_down.prediction(model.predict(x_train[:5], verbose=0))
written_down.prediction(features.predict_on_batch(x_train[:5]), 2)
written_down.ended(model)
written_down.ended(features, 2)
written_down.only_partly("initial_weights")  # of the features, which are the model's
