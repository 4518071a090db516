"""TensorFlow 1's own Keras is watched as the other is."""

import pytest

from tests.recorder.loops.agreed import BEGIN, END, agreed, not_seen

EAGER = "tf.compat.v1.enable_eager_execution()\n"
V2 = "tf.compat.v1.enable_v2_behavior()\n"
HEAD = (
    BEGIN
    + """
import tensorflow as tf
MODE
tf.compat.v1.set_random_seed(7)
from tensorflow import keras
from tensorflow.keras.layers import Dense, Dropout, Input

class Costs(keras.callbacks.Callback):
    def __init__(self, found):
        super().__init__()
        self.found = found

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(logs["loss"])
"""
)
ALL = """
# A Sequential model with a metric.
first = keras.Sequential([Dense(4, input_shape=(3,), activation="tanh"), Dropout(0.5), Dense(1)])
first.compile(loss="mse", optimizer="adam", metrics=["mae"])
costs, tests = [], []
keep_weights("initial_weights", first.get_weights() if INITIAL else [], 0, 2)
costs += [first.train_on_batch(x[:4], y[:4])[0] for _ in range(2)]
history = first.fit(x, y, batch_size=4, epochs=2, validation_data=(x[:6], y[:6]), verbose=0,
    callbacks=[Costs(costs)])
tests = [first.test_on_batch(x[4:8], y[4:8]), first.evaluate(x, y, batch_size=12, verbose=0)]
keep("costs/train", costs)
keep("costs/test", [values[0] for values in tests])
keep("metrics/test.METRIC", [values[1] for values in tests])
for name, values in history.history.items():
    keep("history/0." + name, values)
keep("predictions/0", first.predict(x))
keep("predictions/1", first.predict_on_batch(x[:2]))

# A functional model over the same layers, fed by tf.data and by a generator.
inside = Input(shape=(3,))
second = keras.Model(inside, Dense(1)(first.layers[0](inside)))
second.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
costs = []
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4).repeat()
second.fit(data, steps_per_epoch=3, epochs=2, verbose=0, callbacks=[Costs(costs)])

def batches():
    while True:
        yield x[:6], y[:6]

second.fit_generator(batches(), steps_per_epoch=2, epochs=1, verbose=0, callbacks=[Costs(costs)])
keep("model2/costs/train", costs)
keep("model2/predictions/0", second.predict_generator(batches(), steps=2))

# A subclassed model, built by its first use.
class Third(keras.Model):
    def __init__(self):
        super(Third, self).__init__()
        self.inner = Dense(2)
        self.outer = Dense(1)

    def call(self, inputs):
        return self.outer(self.inner(inputs))

third = Third()
third.compile(loss="mse", optimizer="sgd")
costs = []
third.fit(x, y, batch_size=6, epochs=2, verbose=0, callbacks=[Costs(costs)])
keep("model3/costs/train", costs)
keep_weights("model3/weights", third.get_weights(), 0, 1)
keep_weights("weights", first.get_weights(), 0, 2)
"""


@pytest.mark.parametrize("mode", ["", EAGER, V2], ids=["graph", "eager", "v2"])
def test_all_its_ways_of_training(mode, scripts):
    """And watching changes no bit: what the script computes is what it computes bare."""
    text = (HEAD.replace("MODE", mode) + ALL + END).replace("INITIAL", str(bool(mode)))
    metric = "mae" if mode == V2 else "mean_absolute_error"
    script = scripts.write(text.replace("METRIC", metric))
    recorded = scripts.record("tensorflow1", script)
    agreed(recorded)
    assert recorded.output.splitlines()[-1] == scripts.bare("tensorflow1", script).splitlines()[-1]
    assert recorded.facts["keras"]["version"] == "2.2.4-tf"
    assert recorded.facts["keras"]["backend"] == "tensorflow"
    assert recorded.facts["steps"] == 20
    initial = {name for name in recorded.arrays if "initial_weights/" in name}
    final = {name for name in recorded.arrays if "weights/" in name} - initial
    assert {name.replace("initial_", "") for name in initial} == final


def test_initial_weights_in_a_graph_are_those_before_the_first_update(scripts):
    """A model that learns nothing ends with them."""
    text = """
first = keras.Sequential([Dense(4, input_shape=(3,))])
first.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
first.fit(x, np.tile(y, 4), verbose=0)
keep_weights("initial_weights", first.get_weights(), 0)
weights = [np.full((3, 4), 0.5), np.zeros(4)]
second = keras.Sequential([Dense(4, input_shape=(3,))])
second.set_weights(weights)
second.compile(loss="mse", optimizer="sgd")
second.fit(x, np.tile(y, 4), verbose=0)
keep_weights("weights", first.get_weights(), 0)
keep_weights("model2/weights", second.get_weights(), 0)
"""
    recorded = scripts.record("tensorflow1", scripts.write(HEAD.replace("MODE", "") + text + END))
    agreed(recorded)
    assert "model2/initial_weights/0.dense.kernel" in recorded.arrays
    assert (recorded.arrays["model2/initial_weights/0.dense.kernel"] != 0.5).all()
    assert not recorded.facts["not_recorded"]


def test_a_loop_over_its_session(scripts):
    text = """
model = keras.Sequential([Dense(1, input_shape=(3,))])
target = tf.compat.v1.placeholder(tf.float32, (None, 1))
loss = tf.reduce_mean(keras.losses.mean_squared_error(target, model.output))
updates = keras.optimizers.SGD(0.1).get_updates(loss, model.trainable_weights)
train = keras.backend.function([model.input, target], [loss], updates=updates)
keep_weights("initial_weights", model.get_weights(), 0)
keep("costs/train", [train([x, y])[0] for _ in range(3)])
keep_weights("weights", model.get_weights(), 0)
keras.backend.clear_session()
other = keras.Sequential([Dense(1, input_shape=(3,))])
other.compile(loss="mse", optimizer="sgd")
keep("model2/costs/train", [other.train_on_batch(x, y)])
"""
    recorded = scripts.record("tensorflow1", scripts.write(HEAD.replace("MODE", "") + text + END))
    agreed(recorded)
    assert not recorded.facts["not_recorded"]


def test_the_other_keras_stays_the_scripts_own(scripts):
    """It imports TensorFlow, and its Keras with it."""
    text = """
import keras
from keras.layers import Dense
model = keras.Sequential([Dense(1, input_shape=(3,))])
model.compile(loss="mse", optimizer="sgd")
keep("costs/train", [model.train_on_batch(x, y)])
"""
    recorded = scripts.record("tensorflow1", scripts.write(BEGIN + text + END))
    agreed(recorded)
    assert recorded.facts["keras"]["version"] == "2.3.1"


def test_eager_execution_is_seeded(scripts):
    """TensorFlow 1 allows it before there is a graph, and a graph is what is seeded."""
    text = """
import tensorflow as tf
tf.compat.v1.enable_eager_execution()
from tensorflow import keras
model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
model.predict(np.ones((1, 3)))
print(json.dumps(model.get_weights()[0].tolist()))
"""
    script = scripts.write(BEGIN + text)
    outputs = [scripts.record("tensorflow1", script, seed=seed).output for seed in (1, 1, 2)]
    first, again, other = [output.splitlines()[-1] for output in outputs]
    assert first == again != other


EAGER_LOOP = """
model = keras.Sequential([Dense(4, input_shape=(3,), activation="tanh"), Dense(1)])
optimizers = [keras.optimizers.Adam(0.01), tf.compat.v1.train.GradientDescentOptimizer(0.1)]
keep_weights("initial_weights", model.get_weights(), 0, 1)
costs = []
for optimizer in optimizers * 2:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(tf.constant(x)) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    gradients = [tf.clip_by_value(gradient, -0.1, 0.1) for gradient in gradients]
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    costs.append(float(loss))

def loss_now():
    costs.append(tf.reduce_mean(tf.square(model(tf.constant(x)) - y)))
    return costs[-1]

optimizers[1].minimize(loss_now)
keep("costs/train", costs)
"""


def test_a_loop_with_a_tape(scripts):
    text = HEAD.replace("MODE", EAGER) + EAGER_LOOP
    text += 'keep_weights("weights", model.get_weights(), 0, 1)\n'
    script = scripts.write(text + END)
    recorded = scripts.record("tensorflow1", script)
    agreed(recorded)
    assert recorded.facts["steps"] == 5
    assert not recorded.facts["not_recorded"]
    assert recorded.output.splitlines()[-1] == scripts.bare("tensorflow1", script).splitlines()[-1]


def test_what_a_tape_does_in_a_compiled_function_is_said(scripts):
    text = """
@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(tf.constant(x)) - y))
    variables = model.trainable_variables
    optimizers[0].apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss

for _ in range(3):
    step()
keep_weights("weights", model.get_weights(), 0, 1)
"""
    text = HEAD.replace("MODE", EAGER) + EAGER_LOOP + text
    recorded = scripts.record("tensorflow1", scripts.write(text + END))
    agreed(recorded)
    (said,) = not_seen(recorded)
    line = text.splitlines().index("    step()") + 1
    assert said.startswith(f"script.py:{line}: what is trained within tf.function cannot be seen")


def test_a_tape_in_a_graph(scripts):
    text = """
model = keras.Sequential([Dense(1, input_shape=(3,))])
target = tf.compat.v1.placeholder(tf.float32, (None, 1))
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(model(model.inputs[0]) - target))
variables = model.trainable_variables
optimizer = tf.compat.v1.train.AdamOptimizer(0.01)
step = optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
session = keras.backend.get_session()
session.run(tf.compat.v1.global_variables_initializer())
feed = {model.inputs[0]: x, target: y}
keep("costs/train", [session.run([step, loss], feed)[1] for _ in range(3)])
keep_weights("weights", model.get_weights(), 0)
"""
    recorded = scripts.record("tensorflow1", scripts.write(HEAD.replace("MODE", "") + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 3
    assert not recorded.facts["not_recorded"]
