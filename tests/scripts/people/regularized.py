"""Weight decay, constraints, batch normalization, noise, and a regularizer of one's own."""

import numpy as np
import written_down
from keras import constraints, layers, regularizers
from keras.models import Sequential

model = Sequential()
model.add(
    layers.Dense(10, input_shape=(6,), kernel_regularizer=regularizers.l2(0.01), activation="relu")
)
model.add(layers.BatchNormalization())
model.add(layers.GaussianNoise(0.1))
model.add(
    layers.Dense(
        8,
        kernel_regularizer=regularizers.l1(0.001),
        activity_regularizer=regularizers.l2(0.001),
        kernel_constraint=constraints.MaxNorm(1.0),
    )
)
model.add(layers.PReLU())
model.add(layers.Dropout(0.25))
model.add(layers.Dense(1, use_bias=False))
model.compile(optimizer="rmsprop", loss="mse")
x = np.random.randn(48, 6)
y = np.sin(x).sum(axis=1)
written_down.began(model)
losses = model.fit(
    x,
    y,
    batch_size=12,
    epochs=3,
    verbose=0,
    validation_split=1 / 4.0,
    callbacks=[written_down.steps()],
)
written_down.history(losses)
written_down.evaluated(model.evaluate(x, y, verbose=0))
written_down.ended(model)
