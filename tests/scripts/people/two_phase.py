"""First fit, then a loop with a tape that pushes the loss further down, then evaluate."""

import keras
import numpy as np
import tensorflow as tf
import written_down

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.random.rand(24, 2).astype("float32")
y = (x[:, :1] - x[:, 1:]) ** 2
written_down.began(model)
written_down.history(
    model.fit(x, y, epochs=1, batch_size=8, verbose=0, callbacks=[written_down.steps()])
)
optimizer = tf.keras.optimizers.RMSprop(0.01)
for step in range(4):
    with tf.GradientTape(persistent=True) as tape:
        error = model(x) - y
        mse = tf.reduce_mean(error**2)
        total = mse + 0.01 * tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables])
    optimizer.apply_gradients(
        zip(tape.gradient(total, model.trainable_variables), model.trainable_variables)
    )
    del tape
    written_down.cost(total)
written_down.history(
    model.fit(x, y, epochs=1, batch_size=8, verbose=0, callbacks=[written_down.steps()])
)
written_down.evaluated(model.evaluate(x, y, verbose=0))
written_down.ended(model)
