"""JAX's own gradient descent on the variables of a Keras model, jitted; no optimizer at all."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import written_down

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
written_down.began(model)
params = {v.path: v.value for v in model.trainable_variables}


def forward(params, x):
    values = [params[v.path] for v in model.trainable_variables]
    return model.stateless_call(values, [], x)[0]


def mse(params, x, y):
    return jnp.mean((forward(params, x) - y) ** 2)


@functools.partial(jax.jit, static_argnames="lr")
def update(params, x, y, lr=0.05):
    loss, grads = jax.value_and_grad(mse)(params, x, y)
    return jax.tree_util.tree_map(lambda p, g: p - lr * g, params, grads), loss


x = np.random.RandomState(8).rand(30, 2).astype("float32")
y = x.sum(axis=1, keepdims=True)
for _ in range(8):
    params, loss = update(params, x, y)
    written_down.cost(loss)
print("final loss", loss)
# The model itself never changes: what the last step was given, or nothing, are its last weights.
written_down.only_partly("weights")
