"""Three networks and the mean of what they predict, in one model and by hand."""

import numpy as np
import written_down
from keras.layers import Average, Dense, Input
from keras.models import Model, Sequential


def member(number):
    model = Sequential(name="member_%d" % number)
    model.add(Dense(3 + number, activation="relu", input_shape=(2,)))
    model.add(Dense(1))
    model.compile(loss="mae", optimizer="adam")
    return model


x = np.random.rand(30, 2)
y = np.abs(x[:, :1] - x[:, 1:])
members = [member(number) for number in range(3)]
for number, model in enumerate(members, 1):
    written_down.began(model, number)
    rows = np.random.choice(30, 24)  # a bootstrap
    written_down.history(
        model.fit(
            x[rows],
            y[rows],
            epochs=1,
            batch_size=6,
            verbose=0,
            callbacks=[written_down.steps(number)],
        ),
        number,
    )
inputs = Input(shape=(2,))
together = Model(inputs, Average()([model(inputs) for model in members]))
mean = written_down.prediction(together.predict(x), 4)
each = []
for number, model in enumerate(members, 1):
    each.append(written_down.prediction(model.predict(x), number))
print(np.abs(mean - np.mean(each, axis=0)).max())
for number, model in enumerate(members, 1):
    written_down.ended(model, number)
written_down.ended(together, 4)
written_down.only_partly("initial_weights")  # of the last, which is the others'
