"""Writing a training loop from scratch in JAX: jitted, stateless, the state in a tuple."""

import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np
import written_down

x_train = np.random.rand(48, 4).astype("float32")
y_train = keras.utils.to_categorical(np.argmax(x_train, axis=1), 4)


def get_model():
    inputs = keras.Input(shape=(4,))
    x1 = keras.layers.Dense(6, activation="relu")(inputs)
    x2 = keras.layers.Dropout(0.2)(x1)
    return keras.Model(inputs=inputs, outputs=keras.layers.Dense(4)(x2))


model = get_model()
written_down.began(model)
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True)


def compute_loss_and_updates(trainable_variables, non_trainable_variables, x, y):
    y_pred, non_trainable_variables = model.stateless_call(
        trainable_variables, non_trainable_variables, x, training=True
    )
    return loss_fn(y, y_pred), non_trainable_variables


grad_fn = jax.value_and_grad(compute_loss_and_updates, has_aux=True)


@jax.jit
def train_step(state, data):
    trainable_variables, non_trainable_variables, optimizer_variables = state
    x, y = data
    (loss, non_trainable_variables), grads = grad_fn(
        trainable_variables, non_trainable_variables, x, y
    )
    trainable_variables, optimizer_variables = optimizer.stateless_apply(
        optimizer_variables, grads, trainable_variables
    )
    return loss, (trainable_variables, non_trainable_variables, optimizer_variables)


optimizer.build(model.trainable_variables)
state = (
    model.trainable_variables,
    model.non_trainable_variables,
    optimizer.variables,
)
state = jax.tree_util.tree_map(lambda v: v.value, state)
for epoch in range(3):
    for step in range(4):
        batch = slice(12 * step, 12 * step + 12)
        loss, state = train_step(state, (x_train[batch], y_train[batch]))
        written_down.cost(loss)
    print(f"Training loss (for 1 batch) at epoch {epoch}: {float(loss):.4f}")

# back to the model: all variables of it
trainable_variables, non_trainable_variables, optimizer_variables = state
for variable, value in zip(model.trainable_variables, trainable_variables):
    variable.assign(value)
for variable, value in zip(model.non_trainable_variables, non_trainable_variables):
    variable.assign(value)
written_down.prediction(model.predict(x_train[:6], verbose=0))
written_down.ended(model)
