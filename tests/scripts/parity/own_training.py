"""Weights that the script itself has changed before a method of the model is first used."""

import keras
import numpy as np

draw = np.random.RandomState(0)
x = draw.rand(16, 8).astype("float32")

for name in ("jax", "torch"):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)], name=f"trained_on_{name}")
    for weight in model.trainable_variables if keras.backend.backend() == name else []:
        weight.assign(weight.value * 0.5)
    model.predict(x, verbose=0)

# What is trained within another model is no longer what it began with.
inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1)])
inner.name = "inner"
outer_input = keras.Input((8,))
outer = keras.Model(outer_input, inner(outer_input), name="outer")
outer.compile(keras.optimizers.SGD(0.1), "mse")
for _ in range(3):
    outer.train_on_batch(x, x[:, :1])
before = [np.array(weight) for weight in inner.get_weights()]
inner.predict(x, verbose=0)
after = inner.get_weights()
same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
print("inner keeps its weights:", same)
