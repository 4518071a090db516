"""Deep Q-learning on a corridor of six cells: act, remember, replay."""

import random
from collections import deque

import numpy as np
import written_down
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam

CELLS = 6


class Corridor:
    def reset(self):
        self.at = 0
        return self.state()

    def state(self):
        return np.eye(CELLS)[[self.at]]

    def step(self, action):
        self.at = min(max(self.at + (1 if action else -1), 0), CELLS - 1)
        done = self.at == CELLS - 1
        return self.state(), (1.0 if done else -0.05), done


class DQNAgent:
    def __init__(self):
        self.memory = deque(maxlen=200)
        self.gamma, self.epsilon = 0.9, 0.5
        self.model = self._build_model()
        self.target_model = self._build_model()
        written_down.began(self.model, 1)
        written_down.began(self.target_model, 2)
        self.update_target_model()
        self.acted = []

    def _build_model(self):
        model = Sequential()
        model.add(Dense(8, input_dim=CELLS, activation="relu"))
        model.add(Dense(2, activation="linear"))
        model.compile(loss="mse", optimizer=Adam(0.01))
        return model

    def update_target_model(self):
        self.target_model.set_weights(self.model.get_weights())

    def act(self, state):
        values = self.model.predict(state, verbose=0)
        self.acted.append(values)
        return random.randrange(2) if random.random() < self.epsilon else int(np.argmax(values[0]))

    def replay(self, batch_size):
        states, actions, rewards, others, dones = zip(*random.sample(self.memory, batch_size))
        target = np.stack([np.full(2, reward) for reward in rewards])
        later = self.target_model.predict(np.concatenate(others), verbose=0)
        self.later.append(later)
        target += self.gamma * later.max(axis=1, keepdims=True) * (1 - np.array(dones)[:, None])
        written_down.cost(np.ravel(self.model.train_on_batch(np.concatenate(states), target))[0])

    later = []


if __name__ == "__main__":
    random.seed(2)
    env, agent = Corridor(), DQNAgent()
    for episode in range(3):
        state = env.reset()
        for time in range(12):
            action = agent.act(state)
            next_state, reward, done = env.step(action)
            agent.memory.append((state, action, reward, next_state, float(done)))
            state = next_state
            if done:
                break
        agent.update_target_model()
        agent.replay(8)
        agent.replay(8)
        print("episode: {}/3, score: {}".format(episode + 1, time))
    written_down.predictions_in_a_row(agent.acted, 1)
    for values in agent.later:
        written_down.prediction(values, 2)
    written_down.ended(agent.model, 1)
    written_down.ended(agent.target_model, 2)
