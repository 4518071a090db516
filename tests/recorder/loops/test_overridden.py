"""A model's own way to train, on the Keras of old: each step counts once."""

import pytest

from tests.recorder.loops.agreed import BEGIN, END, agreed, not_seen
from tests.recorder.loops.test_graphs import NET

TF_KERAS = BEGIN + "from tensorflow import keras\nfrom tensorflow.keras.layers import Dense\n"
MODEL = """
from MODELS import Sequential

class Own(Sequential):
    costs = []

    def train_on_batch(self, x, y, *rest, **more):
        self.costs.append(super(Own, self).train_on_batch(x, y, *rest, **more))
        return RETURNED

    def fit(self, x, y):
        super(Own, self).fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[Costs()])
        return "done"

class Costs(keras.callbacks.Callback):
    def on_batch_end(self, batch, logs=None):
        Own.costs.append(logs["loss"])

model = Own()
model.add(Dense(1, input_shape=(3,)))
model.compile(loss="mse", optimizer="sgd")
model.train_on_batch(x, y)
assert model.fit(x, y) == "done"
"""
GENERATOR = """
def batches():
    while True:
        yield x[:6], y[:6]

model.fit_generator(batches(), steps_per_epoch=3, epochs=1, verbose=0)
"""
KEEP = 'keep("costs/train", model.costs)\nkeep_weights("weights", model.get_weights(), 0)\n'


@pytest.mark.parametrize(
    ("backend", "head"), [("theano", NET), ("tensorflow1", NET), ("tensorflow1", TF_KERAS)]
)
def test_each_step_counts_once(backend, head, scripts):
    """What Keras computed is kept, whatever the script's methods return."""
    models = "keras.models" if head == NET else "tensorflow.keras.models"
    text = MODEL.replace("MODELS", models).replace("RETURNED", "None")
    recorded = scripts.record(backend, scripts.write(head + text + KEEP + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 7
    assert not recorded.facts["not_recorded"]


def test_steps_of_a_generator_count_once(scripts):
    """Keras 2 calls the script's method for each, which calls Keras' own."""
    text = MODEL.replace("MODELS", "keras.models").replace("RETURNED", "self.costs[-1]")
    recorded = scripts.record("theano", scripts.write(NET + text + GENERATOR + KEEP + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 10


def test_a_step_of_the_scripts_own_is_seen_within_or_by_what_it_returns(scripts):
    text = """
class Own(Sequential):
    def train_on_batch(self, x, y):
        if not hasattr(self, "step"):
            target = K.placeholder((None, 1))
            loss = K.mean(K.square(self.output - target))
            updates = keras.optimizers.SGD(0.1).get_updates(loss, self.trainable_weights)
            self.step = K.function([self.input, target], [loss], updates=updates)
        return self.step([x, y])[0]

class Other(Own):
    def train_on_batch(self, x, y):
        return 3.5

class Silent(Own):
    def train_on_batch(self, x, y):
        return None

for prefix, kind in ("", Own), ("model2/", Other), ("model3/", Silent):
    model = kind()
    model.add(Dense(1, input_shape=(3,)))
    costs = [model.train_on_batch(x, y) for _ in range(3)]
    keep(prefix + "costs/train", costs if kind is not Silent else [])
"""
    recorded = scripts.record("theano", scripts.write(NET + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 9
    assert not_seen(recorded) == [
        "Silent.train_on_batch does not return its cost; keras_repro.record.cost hands them over"
    ]
