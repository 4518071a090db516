"""A loop on JAX without jit: value_and_grad of stateless_call, the variables assigned each step."""

import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np
import written_down

np.random.seed(31)
x = np.random.rand(40, 3).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.3

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.1)
optimizer.build(model.trainable_variables)
written_down.began(model)


def compute_loss(trainable_variables, non_trainable_variables, x, y):
    given, _ = model.stateless_call(trainable_variables, non_trainable_variables, x)
    return keras.ops.mean(keras.ops.square(given - y))


grad_fn = jax.value_and_grad(compute_loss)
for epoch in range(2):
    for start in range(0, 40, 10):
        batch = slice(start, start + 10)
        loss, grads = grad_fn(
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            x[batch],
            y[batch],
        )
        optimizer.apply(grads, model.trainable_variables)
        written_down.cost(loss)
        print("loss", float(loss))
written_down.ended(model)
