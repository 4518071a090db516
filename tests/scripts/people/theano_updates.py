"""A Theano function with updates by hand, around a Keras model."""

import keras
import numpy as np
import theano
import theano.tensor as T
import written_down

model = keras.models.Sequential()
model.add(keras.layers.Dense(4, activation="sigmoid", input_dim=3))
model.add(keras.layers.Dense(1))
y = T.matrix("y")
cost = T.mean(T.sqr(model.output - y))
params = model.trainable_weights
grads = T.grad(cost, params)
updates = [(param, param - np.float32(0.1) * grad) for param, grad in zip(params, grads)]
train = theano.function([model.input, y], cost, updates=updates, allow_input_downcast=True)

written_down.began(model)
X = np.random.rand(30, 3)
for epoch in range(6):
    value = train(X, X[:, :1])
    written_down.cost(value)
    print(epoch, float(value))
written_down.ended(model)
