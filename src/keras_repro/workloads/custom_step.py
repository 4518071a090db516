"""A training step of one's own, in each framework's way; no Keras method trains or predicts.

What it computes is handed to keras-repro by ``record``, which does nothing elsewhere. The step
fits a small net to a parabola by gradient descent. Runs under Keras 2.3.1 and Keras 3.
"""

import keras
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

from keras_repro import record

RATE = 0.05
STEPS = 100
np.random.seed(13)

x = np.random.uniform(-1, 1, (64, 1)).astype("float32")
y = (x**2).astype("float32")
model = Sequential([Dense(8, activation="tanh", input_shape=(1,)), Dense(1)])


def graph_step():
    """Theano and TensorFlow 1: one function, compiled with its updates."""
    backend = keras.backend
    target = backend.placeholder((None, 1))
    cost = backend.mean(backend.square(model.output - target))
    gradients = backend.gradients(cost, model.trainable_weights)
    updates = [
        backend.update_sub(weight, RATE * gradient)
        for weight, gradient in zip(model.trainable_weights, gradients)
    ]
    compiled = backend.function([model.input, target], [cost], updates=updates)
    predict = backend.function([model.input], [model.output])
    return lambda: compiled([x, y])[0], lambda: predict([x])[0]


def tensorflow_step():
    """TensorFlow: a gradient tape."""
    import tensorflow as tf

    def step():
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(cost, model.trainable_weights)
        for weight, gradient in zip(model.trainable_weights, gradients):
            weight.assign_sub(RATE * gradient)
        return cost

    return step, lambda: model(x)


def jax_step():
    """JAX: a function of the weights, differentiated and compiled."""
    import jax

    def cost_of(weights, others):
        predicted, _ = model.stateless_call(weights, others, x, training=True)
        return ((predicted - y) ** 2).mean()

    differentiated = jax.jit(jax.value_and_grad(cost_of))

    def step():
        weights = [weight.value for weight in model.trainable_variables]
        others = [weight.value for weight in model.non_trainable_variables]
        cost, gradients = differentiated(weights, others)
        for weight, gradient in zip(model.trainable_variables, gradients):
            weight.assign(weight.value - RATE * gradient)
        return cost

    return step, lambda: model(x)


def torch_step():
    """PyTorch: backward, then a step down the gradients."""
    import torch

    inputs, target = torch.from_numpy(x), torch.from_numpy(y)

    def step():
        model.zero_grad()
        cost = ((model(inputs, training=True) - target) ** 2).mean()
        cost.backward()
        with torch.no_grad():
            for weight in model.trainable_weights:
                weight.value.sub_(RATE * weight.value.grad)
        return cost

    return step, lambda: model(inputs)


if keras.__version__.startswith("2."):
    step, predict = graph_step()
else:
    steps = {"tensorflow": tensorflow_step, "jax": jax_step, "torch": torch_step}
    step, predict = steps[keras.backend.backend()]()

for number in range(STEPS):
    cost = step()
    record.cost(cost)
    if number % 25 == 0:
        print("step", number, "cost", float(cost))
record.prediction(predict())
