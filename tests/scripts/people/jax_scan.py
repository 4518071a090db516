"""JAX: scans that train, alone, within each other, in a jit; and one that returns no loss."""

import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import jax.numpy as jnp
import keras
import numpy as np
import written_down
from jax import lax

model = keras.Sequential(
    [
        keras.Input((3,)),
        keras.layers.Dense(5, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
)
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
written_down.began(model)
rng = np.random.RandomState(0)
x = rng.rand(2, 4, 8, 3).astype("float32")
y = x.sum(-1, keepdims=True)


def loss_fn(tv, ntv, x, y):
    pred, ntv = model.stateless_call(tv, ntv, x, training=True)
    return jnp.mean((pred - y) ** 2), ntv


def step(state, batch):
    tv, ntv, ov = state
    (loss, ntv), grads = jax.value_and_grad(loss_fn, has_aux=True)(tv, ntv, *batch)
    tv, ov = optimizer.stateless_apply(ov, grads, tv)
    return (tv, ntv, ov), (loss, loss + 1)


state = tuple(
    [v.value for v in vs]
    for vs in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
)
state, (losses, _) = lax.scan(step, state, (x[0], y[0]))
for loss in losses:
    written_down.cost(loss)
state, (losses, _) = lax.scan(step, state, (x[1], y[1]), unroll=2)
for loss in losses:
    written_down.cost(loss)


@jax.jit
def epochs(state, x, y):
    def epoch(state, data):
        state, (losses, _) = lax.scan(step, state, data)
        return state, losses

    return lax.scan(epoch, state, (x, y))


for _ in range(2):
    state, losses = epochs(state, x, y)
    for loss in np.ravel(losses):
        written_down.cost(loss)


def carried(state, batch):
    state, total = state
    state, (loss, _) = step(state, batch)
    return (state, total + loss), None


(state, total), _ = jax.jit(lambda state: lax.scan(carried, (state, 0.0), (x[0], y[0])))(state)
written_down.unseen("costs of a loop of its own, 1")
written_down.step_count(2 * 4 + 2 * 8 + 4)


def short(state, _):
    return step(state, (x[0, 0], y[0, 0]))


state, (losses, _) = lax.scan(short, state, None, length=2)
for loss in losses:
    written_down.cost(loss)
written_down.step_count(2 * 4 + 2 * 8 + 4 + 2)
tv, ntv, _ = state
names = {}
for index, layer in enumerate(model.layers):
    for variable in layer.weights:
        names[id(variable)] = "weights/%d.%s.%s" % (
            index,
            ["dense", "batch_normalization", "dense"][index],
            variable.name,
        )
for variables, values in ((model.trainable_variables, tv), (model.non_trainable_variables, ntv)):
    for variable, value in zip(variables, values):
        written_down.array(names[id(variable)], value)
