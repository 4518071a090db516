"""Training loops of a script's own on the two backends with graphs of old."""

import pytest

from tests.recorder.loops.agreed import BEGIN, END, agreed, not_seen

BOTH = pytest.mark.parametrize("backend", ["theano", "tensorflow1"])
NET = (
    BEGIN
    + """
import keras
from keras import backend as K
from keras.layers import Dense, Dropout
from keras.models import Sequential

def net(sizes=(4, 1), inputs=3):
    model = Sequential()
    model.add(Dense(sizes[0], input_dim=inputs, activation="tanh"))
    for size in sizes[1:]:
        model.add(Dense(size))
    return model
"""
)
FUNCTION = (
    NET
    + """
model = net()
target = K.placeholder((None, 1))
loss = K.mean(K.square(model.output - target))
"""
)


@BOTH
def test_a_function_that_updates_trains(backend, scripts):
    """The one that only evaluates does not."""
    text = """
updates = keras.optimizers.SGD(0.1).get_updates(loss, model.trainable_weights)
train = K.function([model.input, target], [K.mean(model.output), loss], updates=updates)
test = K.function([model.input, target], [loss])
keep_weights("initial_weights", model.get_weights(), 0, 1)
costs = []
for step in range(5):
    costs.append(train([x, y])[1])
    test([x, y])
keep("costs/train", costs)
keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record(backend, scripts.write(FUNCTION + text + END))
    assert len(agreed(recorded)["costs/train"]) == 5
    assert recorded.facts["steps"] == 5
    assert not recorded.facts["not_recorded"]


@BOTH
def test_gradients_of_the_scripts_own_train(backend, scripts):
    text = """
weights = model.trainable_weights
updates = [(w, w - 0.1 * K.clip(g, -0.1, 0.1)) for w, g in zip(weights, K.gradients(loss, weights))]
train = K.function([model.input, target], [loss], updates=updates)
keep_weights("initial_weights", model.get_weights(), 0, 1)
keep("costs/train", [train([x, y])[0] for step in range(4)])
keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record(backend, scripts.write(FUNCTION + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 4


@BOTH
def test_a_loss_that_is_not_returned_is_said(backend, scripts):
    text = """
updates = keras.optimizers.SGD(0.1).get_updates(loss, model.trainable_weights)
train = K.function([model.input, target], [2 * loss], updates=updates)
for step in range(3):
    train([x, y])
keep("costs/train", [])
keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record(backend, scripts.write(FUNCTION + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 3
    (said,) = not_seen(recorded)
    line = (FUNCTION + text).splitlines().index("    train([x, y])") + 1
    assert said.startswith(f"script.py:{line}: ")
    assert "keras_repro.record.cost" in said


@BOTH
def test_a_model_within_another_has_the_costs_by_its_weights(backend, scripts):
    """As in a GAN, where each half is trained in turn."""
    text = """
critic, maker = net(), net((2, 3))
noise = K.placeholder((None, 3))
right = K.mean(critic(maker(noise)))
critic_loss = K.mean(critic.outputs[0]) - right
maker_loss = -right
rest = keras.models.Sequential([maker, critic])
critic_step = K.function([critic.inputs[0], noise], [critic_loss],
    updates=keras.optimizers.SGD(0.1).get_updates(critic_loss, critic.trainable_weights))
maker_step = K.function([noise], [maker_loss],
    updates=keras.optimizers.SGD(0.1).get_updates(maker_loss, maker.trainable_weights))
found = [], []
for step in range(3):
    found[0].append(critic_step([x, x[::-1]])[0])
    found[1].append(maker_step([x])[0])
keep("costs/train", found[0])
keep("model2/costs/train", found[1])
"""
    recorded = scripts.record(backend, scripts.write(NET + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 6


@BOTH
def test_keras_own_training_is_not_counted_twice(backend, scripts):
    text = """
model.add(Dropout(0.5))
model.compile(loss="mse", optimizer="sgd")
costs = [model.train_on_batch(x, y) for step in range(2)]
class Keep(keras.callbacks.Callback):
    def on_batch_end(self, batch, logs=None):
        costs.append(logs["loss"])
model.fit(x, y, batch_size=4, epochs=1, verbose=0, callbacks=[Keep()])
def batches():
    while True:
        yield x[:6], y[:6]
model.fit_generator(batches(), steps_per_epoch=2, epochs=1, verbose=0, callbacks=[Keep()])
keep("predictions/0", model.predict_generator(batches(), steps=1))
costs += [model.train_function([x, y, np.ones(12), 1.0])[0] for step in range(2)]
keep("costs/train", costs)
keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record(backend, scripts.write(FUNCTION + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 9
    assert not recorded.facts["not_recorded"]


THEANO = (
    NET
    + """
import theano
import theano.tensor as T
from collections import OrderedDict
model = net()
weights = model.trainable_weights
target = T.matrix()
loss = T.mean((model.output - target) ** 2)
"""
)


def test_theano_without_keras_backend(scripts):
    """One gradient at a time; what is returned may be one value, a list or a dictionary."""
    text = """
updates = OrderedDict((w, w - 0.1 * T.grad(loss, w)) for w in weights)
given = [model.input, target]
steps = [
    (theano.function(given, loss, updates=updates), lambda made: made),
    (theano.function(given, {"cost": loss, "more": loss * 2}, updates=updates),
        lambda made: made["cost"]),
    (theano.function(given, [loss * 3, theano.Out(loss, borrow=True)], None, list(updates.items())),
        lambda made: made[1]),
]
evaluate = theano.function(given, loss)
other = theano.shared(1.0)
count = theano.function(given, loss, updates=[(other, other + 1)])
keep_weights("initial_weights", model.get_weights(), 0, 1)
costs = []
for step, cost in steps * 2:
    costs.append(cost(step(x, y)))
    evaluate(x, y), count(x, y)
keep("costs/train", costs)
keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record("theano", scripts.write(THEANO + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 6
    assert not recorded.facts["not_recorded"]


def test_the_loss_within_a_step_of_meta_learning_is_no_cost(scripts):
    """Its gradients are a part of the loss that is differentiated last."""
    text = """
moved = [w - 0.1 * g for w, g in zip(weights, T.grad(loss, weights))]
hidden = T.tanh(T.dot(model.input, moved[0]) + moved[1])
outer = T.mean((T.dot(hidden, moved[2]) + moved[3] - target) ** 2)
updates = [(w, w - 0.1 * g) for w, g in zip(weights, T.grad(outer, weights))]
step = theano.function([model.input, target], [loss, outer], updates=updates)
keep("costs/train", [step(x, y)[1] for _ in range(3)])
"""
    recorded = scripts.record("theano", scripts.write(THEANO + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 3


def test_watching_theano_changes_no_bit(scripts):
    text = """
model.add(Dropout(0.5))
target = K.placeholder((None, 1))
loss = K.mean(K.square(model.output - target))
updates = keras.optimizers.Adam(0.01).get_updates(loss, model.trainable_weights)
train = K.function([model.input, target, K.learning_phase()], [loss, model.output], updates=updates)
found = [part for step in range(3) for part in train([x, y, 1])] + model.get_weights()
other = net()
found += other.get_weights() + [np.random.rand(2)]
for at, value in enumerate(found):
    keep(str(at), value)
"""
    script = scripts.write(FUNCTION + text + END)
    recorded = scripts.record("theano", script)
    assert recorded.status == 0, recorded.output
    assert recorded.facts["steps"] == 3
    assert recorded.output.splitlines()[-1] == scripts.bare("theano", script).splitlines()[-1]


@BOTH
def test_what_the_script_drops_is_freed(backend, scripts):
    """The weights of its last values are kept before."""
    text = """
import gc
import weakref

def trained():
    model = net()
    target = K.placeholder((None, 1))
    loss = K.mean(K.square(model.output - target))
    updates = keras.optimizers.SGD(0.1).get_updates(loss, model.trainable_weights)
    step = K.function([model.input, target], [loss], updates=updates)
    costs = [step([x, y])[0] for _ in range(2)]
    return costs, model.get_weights(), [weakref.ref(part) for part in [model] + model.weights]

for prefix in ("", "model2/", "model3/"):
    costs, weights, references = trained()
    keep(prefix + "costs/train", costs)
    keep_weights(prefix + "weights", weights, 0, 1)
    if K.backend() == "tensorflow":
        K.clear_session()
    gc.collect()
    net()  # where a model is made, what is gone is let go
    gc.collect()
    left = [reference() is not None for reference in references]
    # The first graph is made while TensorFlow is imported, and stays.
    assert not any(left[:1] if K.backend() == "tensorflow" and not prefix else left)
"""
    recorded = scripts.record(backend, scripts.write(NET + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 6


@BOTH
def test_a_model_that_is_dropped_while_its_weights_train_on(backend, scripts):
    text = """
import gc

def made():
    model = net()
    target = K.placeholder((None, 1))
    loss = K.mean(K.square(model.output - target))
    updates = keras.optimizers.SGD(0.1).get_updates(loss, model.trainable_weights)
    return K.function([model.input, target], [loss], updates=updates), model.weights

step, weights = made()
gc.collect()
costs = [step([x, y])[0]]
gc.collect()
net()
keep("costs/train", costs + [step([x, y])[0] for _ in range(2)])
keep_weights("weights", K.batch_get_value(weights), 0, 1)
"""
    recorded = scripts.record(backend, scripts.write(NET + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 3
