"""Data of the framework's own generator, seeded from the clock or from entropy."""

import time

import keras
import numpy as np
from net import train

backend = keras.backend.backend()
if backend == "jax":
    import jax

    train(np.asarray(jax.random.normal(jax.random.PRNGKey(time.time_ns() % 2**31), (2,))))
elif backend == "torch":
    import torch

    torch.seed()
    train(torch.rand(2).numpy())
elif backend == "theano":
    import theano
    from theano.tensor.shared_randomstreams import RandomStreams

    train(theano.function([], RandomStreams().uniform((2,)))())
else:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:  # of no seed
        drawn = [session.run(tf.random.uniform((2,)))]
    if tf.__version__.startswith("2."):
        drawn += [tf.random.Generator.from_non_deterministic_state().normal((2,)).numpy()]
        drawn += [tf.random.get_global_generator().normal((2,)).numpy()]
    train(*drawn)
