"""JAX: an agent whose step is jitted with self static, clipped gradients, a target net."""

import os

os.environ["KERAS_BACKEND"] = "jax"
from functools import partial

import jax
import jax.numpy as jnp
import keras
import numpy as np
import written_down


class Agent:
    def __init__(self):
        self.q = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)]
        )
        self.target = keras.models.clone_model(self.q)
        self.target.set_weights(self.q.get_weights())
        self.params = [v.value for v in self.q.trainable_variables]
        self.target_params = self.params
        self.opt = keras.optimizers.Adam(1e-2)
        self.opt.build(self.q.trainable_variables)
        self.opt_state = [v.value for v in self.opt.variables]

    def forward(self, params, states):
        return self.q.stateless_call(params, [], states)[0]

    @partial(jax.jit, static_argnums=0)
    def update(self, params, target_params, opt_state, batch):
        states, actions, rewards, nexts = batch

        def loss_fn(params):
            q = jnp.take_along_axis(self.forward(params, states), actions[:, None], 1)[:, 0]
            best = jax.lax.stop_gradient(self.forward(target_params, nexts).max(1))
            return jnp.mean(jnp.square(rewards + 0.9 * best - q)), q.mean()

        (loss, q_mean), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree_util.tree_leaves(grads)))
        grads = jax.tree_util.tree_map(lambda g: g * jnp.minimum(1.0, 1.0 / norm), grads)
        params, opt_state = self.opt.stateless_apply(opt_state, grads, params)
        return params, opt_state, {"loss": loss, "q": q_mean, "norm": norm}


agent = Agent()
written_down.began(agent.q)
rng = np.random.RandomState(1)
for step in range(6):
    batch = (
        rng.rand(8, 4).astype("f"),
        rng.randint(0, 2, 8),
        rng.rand(8).astype("f"),
        rng.rand(8, 4).astype("f"),
    )
    agent.params, agent.opt_state, logs = agent.update(
        agent.params, agent.target_params, agent.opt_state, batch
    )
    written_down.cost(logs["loss"])
    if step % 3 == 2:
        agent.target_params = agent.params
for variable, value in zip(agent.q.trainable_variables, agent.params):
    variable.assign(value)
written_down.prediction(agent.q.predict(batch[0], verbose=0))
written_down.ended(agent.q)
written_down.ended(agent.target, 2)
written_down.only_partly("initial_weights")
