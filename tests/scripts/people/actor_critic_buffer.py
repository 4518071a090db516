"""DDPG: a buffer class with a tf.function for its update, target networks, polyak."""

import keras
import numpy as np
import tensorflow as tf
import written_down
from keras import layers

num_states, num_actions = 3, 1
tau, gamma = 0.005, 0.99


class Buffer:
    def __init__(self, buffer_capacity=100, batch_size=8):
        self.buffer_capacity, self.batch_size, self.buffer_counter = buffer_capacity, batch_size, 0
        self.state_buffer = np.zeros((buffer_capacity, num_states))
        self.action_buffer = np.zeros((buffer_capacity, num_actions))
        self.reward_buffer = np.zeros((buffer_capacity, 1))
        self.next_state_buffer = np.zeros((buffer_capacity, num_states))

    def record(self, obs_tuple):
        index = self.buffer_counter % self.buffer_capacity
        self.state_buffer[index] = obs_tuple[0]
        self.action_buffer[index] = obs_tuple[1]
        self.reward_buffer[index] = obs_tuple[2]
        self.next_state_buffer[index] = obs_tuple[3]
        self.buffer_counter += 1

    @tf.function
    def update(self, state_batch, action_batch, reward_batch, next_state_batch):
        with tf.GradientTape() as tape:
            target_actions = target_actor(next_state_batch, training=True)
            y = reward_batch + gamma * target_critic(
                [next_state_batch, target_actions], training=True
            )
            critic_value = critic_model([state_batch, action_batch], training=True)
            critic_loss = keras.ops.mean(keras.ops.square(y - critic_value))
        critic_grad = tape.gradient(critic_loss, critic_model.trainable_variables)
        critic_optimizer.apply_gradients(zip(critic_grad, critic_model.trainable_variables))
        with tf.GradientTape() as tape:
            actions = actor_model(state_batch, training=True)
            critic_value = critic_model([state_batch, actions], training=True)
            actor_loss = -keras.ops.mean(critic_value)
        actor_grad = tape.gradient(actor_loss, actor_model.trainable_variables)
        actor_optimizer.apply_gradients(zip(actor_grad, actor_model.trainable_variables))
        return critic_loss, actor_loss

    def learn(self):
        record_range = min(self.buffer_counter, self.buffer_capacity)
        batch_indices = np.random.choice(record_range, self.batch_size)
        state_batch = keras.ops.convert_to_tensor(self.state_buffer[batch_indices])
        action_batch = keras.ops.convert_to_tensor(self.action_buffer[batch_indices])
        reward_batch = keras.ops.convert_to_tensor(self.reward_buffer[batch_indices])
        reward_batch = keras.ops.cast(reward_batch, dtype="float32")
        next_state_batch = keras.ops.convert_to_tensor(self.next_state_buffer[batch_indices])
        return self.update(state_batch, action_batch, reward_batch, next_state_batch)


def update_target(target, original, tau):
    target_weights = target.get_weights()
    original_weights = original.get_weights()
    for i in range(len(target_weights)):
        target_weights[i] = original_weights[i] * tau + target_weights[i] * (1 - tau)
    target.set_weights(target_weights)


def get_actor():
    last_init = keras.initializers.RandomUniform(minval=-0.003, maxval=0.003)
    inputs = layers.Input(shape=(num_states,))
    out = layers.Dense(8, activation="relu")(inputs)
    outputs = layers.Dense(1, activation="tanh", kernel_initializer=last_init)(out)
    return keras.Model(inputs, outputs * 2.0)


def get_critic():
    state_input = layers.Input(shape=(num_states,))
    state_out = layers.Dense(4, activation="relu")(state_input)
    action_input = layers.Input(shape=(num_actions,))
    action_out = layers.Dense(4, activation="relu")(action_input)
    concat = layers.Concatenate()([state_out, action_out])
    return keras.Model([state_input, action_input], layers.Dense(1)(concat))


def policy(state):
    sampled_actions = keras.ops.squeeze(actor_model(state))
    return [np.squeeze(np.clip(sampled_actions.numpy() + np.random.randn() * 0.2, -2, 2))]


actor_model, critic_model = get_actor(), get_critic()
target_actor, target_critic = get_actor(), get_critic()
target_actor.set_weights(actor_model.get_weights())
target_critic.set_weights(critic_model.get_weights())
critic_optimizer = keras.optimizers.Adam(0.002)
actor_optimizer = keras.optimizers.Adam(0.001)
buffer = Buffer()
rng = np.random.RandomState(2)
steps = 0
written_down.began(critic_model, 1)
written_down.began(actor_model, 2)
for ep in range(2):
    prev_state = rng.rand(num_states)
    for move in range(6):
        tf_prev_state = keras.ops.expand_dims(keras.ops.convert_to_tensor(prev_state), 0)
        action = policy(tf_prev_state)
        state = np.clip(prev_state + 0.1 * action[0] * rng.randn(num_states), -2, 2)
        buffer.record((prev_state, action, -float(np.square(state).sum()), state))
        c, a = buffer.learn()
        steps += 2
        written_down.cost(c, 1)
        written_down.cost(a, 2)
        update_target(target_actor, actor_model, tau)
        update_target(target_critic, critic_model, tau)
        prev_state = state
written_down.step_count(steps)
written_down.ended(critic_model, 1)
written_down.ended(actor_model, 2)
written_down.ended(target_actor, 3)
written_down.ended(target_critic, 4)
written_down.only_partly("initial_weights")
