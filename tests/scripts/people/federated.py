"""Federated averaging: client models for each round, weights averaged by hand, dropped after it."""

import keras
import numpy as np
import written_down
from keras.layers import Dense
from keras.models import Sequential

rng = np.random.RandomState(0)
shards = [(rng.rand(20, 4), rng.randint(0, 2, 20)) for _ in range(2)]


class SimpleMLP:
    @staticmethod
    def build():
        model = Sequential()
        model.add(Dense(5, input_shape=(4,), activation="relu"))
        model.add(Dense(1, activation="sigmoid"))
        return model


def sum_scaled_weights(scaled):
    return [np.sum(layers, axis=0) for layers in zip(*scaled)]


global_model = SimpleMLP.build()
of = 0
for comm_round in range(2):
    global_weights = global_model.get_weights()
    scaled_local_weights = []
    for x, y in shards:
        of += 1
        local_model = SimpleMLP.build()
        local_model.compile(
            loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.1), metrics=["accuracy"]
        )
        written_down.began(local_model, of)
        local_model.set_weights(global_weights)
        h = local_model.fit(
            x, y, epochs=1, batch_size=10, verbose=0, callbacks=[written_down.steps(of)]
        )
        written_down.history(h, of)
        scaled_local_weights.append([0.5 * w for w in local_model.get_weights()])
        written_down.ended(local_model, of)
        if hasattr(keras.backend, "clear_session") and comm_round > 5:
            keras.backend.clear_session()
    global_model.set_weights(sum_scaled_weights(scaled_local_weights))
global_model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
of += 1
score = global_model.evaluate(x, y, verbose=0)
written_down.evaluated(score, ("loss", "accuracy"), of)
written_down.ended(global_model, of)
written_down.only_partly("initial_weights")
