"""Mixed precision in a loop of one's own: LossScaleOptimizer, optimizer.scale_loss."""

import keras
import numpy as np
import written_down
from keras import layers, mixed_precision

backend = keras.backend.backend()
mixed_precision.set_global_policy("mixed_float16")
inputs = keras.Input(shape=(6,))
x = layers.Dense(8, activation="relu")(inputs)
outputs = layers.Activation("linear", dtype="float32")(layers.Dense(1)(x))
model = keras.Model(inputs, outputs)
written_down.began(model)
optimizer = mixed_precision.LossScaleOptimizer(keras.optimizers.RMSprop(1e-3), initial_scale=256.0)
optimizer.build(model.trainable_variables)
loss_object = keras.losses.MeanSquaredError()
rng = np.random.RandomState(0)
xs = rng.rand(32, 6).astype("float32")
ys = xs.sum(1, keepdims=True)
batches = [(xs[i : i + 8], ys[i : i + 8]) for i in range(0, 32, 8)]

if backend == "tensorflow":
    import tensorflow as tf

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_object(y, model(x, training=True))
            scaled_loss = optimizer.scale_loss(loss)
        grads = tape.gradient(scaled_loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(2):
        for x, y in batches:
            written_down.cost(step(x, y))
    with tf.GradientTape() as tape:
        loss = loss_object(y, model(x, training=True))
        scaled = optimizer.scale_loss(loss)
    optimizer.apply(tape.gradient(scaled, model.trainable_variables), model.trainable_variables)
    written_down.cost(loss)
elif backend == "torch":
    import torch

    for epoch in range(2):
        for x, y in batches:
            model.zero_grad()
            loss = loss_object(torch.from_numpy(y), model(torch.from_numpy(x)))
            optimizer.scale_loss(loss).backward()
            grads = [v.value.grad for v in model.trainable_variables]
            with torch.no_grad():
                optimizer.apply(grads, model.trainable_variables)
            written_down.cost(loss)
else:
    import jax

    def compute(tv, ntv, ov, x, y):
        y_pred, ntv = model.stateless_call(tv, ntv, x)
        loss = loss_object(y, y_pred)
        with keras.StatelessScope(state_mapping=list(zip(optimizer.variables, ov))):
            scaled = optimizer.scale_loss(loss)
        return scaled, (loss, ntv)

    @jax.jit
    def step(tv, ntv, ov, x, y):
        (_, (loss, ntv)), grads = jax.value_and_grad(compute, has_aux=True)(tv, ntv, ov, x, y)
        tv, ov = optimizer.stateless_apply(ov, grads, tv)
        return loss, tv, ntv, ov

    tv = [v.value for v in model.trainable_variables]
    ntv = [v.value for v in model.non_trainable_variables]
    ov = [v.value for v in optimizer.variables]
    for epoch in range(2):
        for x, y in batches:
            loss, tv, ntv, ov = step(tv, ntv, ov, x, y)
            written_down.cost(loss)
    for variable, value in zip(model.trainable_variables, tv):
        variable.assign(value)
written_down.ended(model)
written_down.prediction(model.predict(xs[:5], verbose=0))
