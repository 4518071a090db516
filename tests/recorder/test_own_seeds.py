"""What a script gives to seeding functions becomes a function of the run's seed, where asked."""

import json

import pytest

from tests.conftest import BACKENDS

SCRIPT = """
import json, random
import numpy as np
import keras

random.seed(7)
np.random.seed(7)
drawn = [random.random(), np.random.rand(), np.random.default_rng(7).random()]
if hasattr(np.random, "PCG64DXSM"):
    drawn.append(np.random.default_rng(seed=7).random())
name = keras.backend.backend()
if name == "tensorflow":
    import tensorflow as tf
    if hasattr(tf.random, "set_seed"):
        tf.random.set_seed(7)
        drawn.append(float(tf.random.uniform(())))
    else:
        tf.set_random_seed(7)
        with tf.Session() as session:
            drawn.append(float(session.run(tf.random_uniform(()))))
elif name == "torch":
    import torch
    torch.manual_seed(7)
    drawn.append(float(torch.rand(())))
elif name == "jax":
    import jax
    drawn.append(float(jax.random.uniform(jax.random.PRNGKey(7))))
    drawn.append(float(jax.random.uniform(jax.random.key(7))))
if hasattr(keras.utils, "set_random_seed"):
    keras.utils.set_random_seed(7)
    drawn += [random.random(), np.random.rand()]
    drawn.append(float(keras.ops.convert_to_numpy(keras.random.uniform(()))))
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(1,))])
model.compile("sgd", "mse")
model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
print(json.dumps(drawn))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_generator_that_the_script_seeds_depends_on_the_seed(backend, scripts):
    script = scripts.write(SCRIPT)

    def drawn(seed, *options):
        run = scripts.record(backend, script, seed=seed, options=options)
        assert run.status == 0, run.output
        return json.loads(run.log.strip().splitlines()[-1])

    one = drawn(1, "--vary-own-seeds")
    assert drawn(1, "--vary-own-seeds") == one
    two = drawn(2, "--vary-own-seeds")
    assert all(a != b for a, b in zip(one, two, strict=True)), (one, two)
    plain = drawn(1)
    assert drawn(2) == plain
    assert all(a != b for a, b in zip(one, plain, strict=True)), (one, plain)
