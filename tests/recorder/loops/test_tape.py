"""Loops with a GradientTape: each loss that was differentiated is kept, as it was computed."""

import pytest

from tests.recorder.loops.written import changes_no_bit, record

TF = """
import tensorflow as tf

def loss_of(model, a=x, b=y):
    return tf.reduce_mean((model(a) - b) ** 2)
"""
COMPILED = (
    TF
    + """
class Net(keras.Model):  # it is built by its first call, in the tape, in the function
    def __init__(self):
        super().__init__()
        self.one = keras.layers.Dense(4, activation="relu")
        self.other = keras.layers.Dense(1)

    def call(self, inputs):
        return self.other(self.one(inputs))


def trained(model, optimizer):
    @tf.function
    def step(a, b):
        with tf.GradientTape() as tape:
            loss = loss_of(model, a, b)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return {"size": tf.size(a), "losses": (loss, loss * 2)}
    return step


net = Net()
step = trained(net, keras.optimizers.Adam(0.01))
for size in (16, 8, 16, 4):  # three traces
    keep("costs/train", step(x[:size], y[:size])["losses"][0])
"""
)


def test_eager(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
model, optimizer = dense(4, 1), keras.optimizers.Adam(0.01)
first(model)
for number in range(6):
    with tf.GradientTape(persistent=True) as tape:
        loss = loss_of(model)
        inputs = tf.constant(x)
        tape.watch(inputs)
        other = tf.reduce_sum(model(inputs))
    weights = model.trainable_variables
    if number % 2:  # nested sources, of TensorFlow's own, in two parts
        gradients = tape.gradient(loss, [[w.value for w in weights[:2]]])[0]
        gradients += tape.gradient(loss, {"a": weights[2:]})["a"]
    else:
        gradients = tape.gradient(loss, weights)
    tape.gradient(other, inputs)  # no loss
    tape.jacobian(model.layers[0].bias.value * 1.0, model.layers[0].bias.value)
    optimizer.apply(gradients, weights)
    keep("costs/train", loss)

import gc, weakref
left = weakref.ref(loss)
del loss, tape
gc.collect()
assert left() is None  # nothing of ours holds it
""",
    )
    assert recorded.facts["steps"] == 6
    assert recorded.facts["not_recorded"] == {}


def test_compiled_and_late_built(scripts):
    recorded = record(scripts, "tensorflow", COMPILED)
    assert recorded.facts["steps"] == 4
    assert recorded.facts["not_recorded"] == {}
    initial = recorded.arrays["initial_weights/0.dense.kernel"]
    assert (initial != recorded.arrays["weights/0.dense.kernel"]).any()
    assert not recorded.arrays["initial_weights/1.dense.bias"].any()


def test_functions_in_functions(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
model, optimizer = dense(1), keras.optimizers.SGD(0.01)
first(model)

class Trainer:
    @tf.function
    def gradients(self, a, b):
        with tf.GradientTape() as tape:
            loss = loss_of(model, a, b)
        return None, loss, tape.gradient(loss, model.trainable_weights)

    @tf.function(jit_compile=True)
    def two_steps(self, a, b):
        _, one, gradients = self.gradients(a, b)
        optimizer.apply(gradients, model.trainable_weights)
        _, other, gradients = self.gradients(a, b)
        optimizer.apply(gradients, model.trainable_weights)
        return tf.stop_gradient(other), one

trainer = Trainer()
for size in (16, 8, 16):
    other, one = trainer.two_steps(x[:size], y[:size])
    keep("costs/train", one)
    keep("costs/train", other)
concrete = trainer.gradients.get_concrete_function(x, y)
_, loss, gradients = concrete(x, y)
optimizer.apply(gradients, model.trainable_weights)
keep("costs/train", loss)
""",
    )
    assert recorded.facts["steps"] == 7


def test_two_models_and_a_gradient_penalty(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
discriminator, generator = dense(4, 1), dense(4, 3)
optimizers = [keras.optimizers.Adam(0.01) for _ in range(2)]
first(discriminator, "model2/")
first(generator)

def losses(noise):
    with tf.GradientTape() as g, tf.GradientTape() as d:
        made = generator(noise)
        with tf.GradientTape() as inner:
            inner.watch(made)
            judged = tf.reduce_sum(discriminator(made))
        penalty = tf.reduce_mean(inner.gradient(judged, made) ** 2)
        g_loss = tf.reduce_mean(discriminator(made))
        d_loss = tf.reduce_mean(discriminator(x)) - g_loss + penalty
    for loss, tape, model, optimizer in (
        (g_loss, g, generator, optimizers[0]), (d_loss, d, discriminator, optimizers[1])
    ):
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return d_loss, g_loss

compiled = tf.function(losses)
for step in (losses, losses, compiled, compiled, losses):
    d_loss, g_loss = step(x[::-1])
    keep("model2/costs/train", d_loss)
    keep("costs/train", g_loss)
""",
    )
    assert recorded.facts["steps"] == 10
    assert recorded.facts["not_recorded"] == {}


SCALED = (
    TF
    + """
model = dense(4, 1)
first(model)
optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.01), initial_scale=3.0)
optimizer.build(model.trainable_variables)


def eager():
    with tf.GradientTape() as tape:
        loss = loss_of(model)
        scaled = optimizer.scale_loss(loss)
    weights = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(scaled, weights), weights))
    return loss, scaled


compiled = tf.function(eager)
for step in (eager, compiled, compiled, eager):
    keep("costs/train", step()[0])
digest(model)
"""
)


def test_a_loss_is_what_it_was_before_the_optimizer_scaled_it(scripts):
    assert record(scripts, "tensorflow", SCALED).facts["not_recorded"] == {}
    changes_no_bit(scripts, "tensorflow", SCALED)


def test_what_no_function_returns_is_said(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
models = [dense(1) for _ in range(4)]
mean = keras.metrics.Mean()

def update(model):
    with tf.GradientTape() as tape:
        loss = loss_of(model)
    for weight, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables)
    ):
        weight.assign_sub(0.1 * gradient)
    return loss

@tf.function
def into_a_metric():
    mean.update_state(update(models[0]))

@tf.function
def in_a_loop(steps):
    loss = 0.0
    for _ in tf.range(steps):
        loss = update(models[1])
    return loss

@tf.function
def changed():
    return update(models[2]) / 3.0

@tf.function
def never():
    mean.update_state(update(models[3]))

@tf.function
def each_alone():
    with tf.GradientTape() as tape:
        losses = (models[0](x) - y) ** 2
    tape.gradient(losses, models[0].trainable_variables)
    return losses

each_alone(), into_a_metric(), in_a_loop(3), changed(), changed()
never.get_concrete_function()
with tf.GradientTape() as tape:
    vector = tf.reduce_mean((models[0](x) - y) ** 2, axis=1)
tape.gradient(vector, models[0].trainable_variables)
with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        loss = loss_of(models[3])
    steps = inner.gradient(loss, models[3].trainable_variables)
""",
    )
    said = list(recorded.facts["not_recorded"].values())
    names = [
        "into_a_metric",
        "in_a_loop",
        "changed",
        "shape (16)",
        "shape (16, 1)",
        "within another",
    ]
    assert [any(name in line for line in said) for name in names] == [True] * 6, said
    assert len(said) == 6
    assert all("keras_repro.record.cost" in line for line in said)
    assert any("into_a_metric (script.py:" in line for line in said)


def test_beside_what_keras_trains(scripts):
    """Each cost once, in the order of time: a train_step under fit, own methods, loops between."""
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
class Stepping(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(1)

    def call(self, inputs):
        return self.layer(inputs)

    def train_step(self, data):
        a, b = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(a) - b) ** 2)
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {"loss": loss}


class Costs(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        keep("costs/train", logs["loss"])


model = Stepping()
model.compile(optimizer="sgd")
model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Costs()])
for _ in range(3):
    keep("costs/train", model.train_step((tf.constant(x), tf.constant(y)))["loss"])
model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Costs()])


class Own(Stepping):
    def train_on_batch(self, a, b):
        logs = self.train_step((tf.constant(a), tf.constant(b)))
        return {"loss": float(logs["loss"]), "twice": 2 * float(logs["loss"])}

    def fit(self, a, b, rounds):
        for _ in range(rounds):
            keep("model2/costs/train", self.train_on_batch(a, b)["loss"])


own = Own()
own.compile(optimizer="sgd")
keep("model2/costs/train", own.train_on_batch(x, y)["loss"])
own.fit(x, y, 2)
""",
    )
    assert recorded.facts["steps"] == 4 + 3 + 2 + 3
    assert recorded.arrays["model2/metrics/train.twice"].shape == (3,)
    assert recorded.facts["not_recorded"] == {}


def test_of_a_model_and_its_only_part_the_whole_is_meant(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
shared = dense(2)
inputs = [keras.Input((3,)), keras.Input((3,))]
model = keras.Model(inputs, keras.layers.Dot(1)([shared(one) for one in inputs]))
for _ in range(2):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model([x, x[::-1]]) - y) ** 2)
    tape.gradient(loss, model.trainable_variables)
    keep("costs/train", loss)
model.predict([x, x], verbose=0)
""",
    )
    assert {"predictions/0", "initial_weights/0.sequential.0.dense.kernel"} <= set(recorded.arrays)


def test_what_the_script_records_itself_counts(scripts):
    recorded = record(
        scripts,
        "tensorflow",
        TF
        + """
from keras_repro import record
model = dense(1)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = loss_of(model)
    for weight, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables)
    ):
        weight.assign_sub(0.1 * gradient)
    record.cost(loss * 2)
    keep("costs/train", loss * 2)
""",
    )
    assert recorded.facts["steps"] == 3


@pytest.mark.parametrize("compiled", [False, True])
def test_watching_changes_no_bit(scripts, compiled):
    body = COMPILED.replace("@tf.function", "@tf.function" if compiled else "")
    body = body.replace('activation="relu"', 'activation="tanh"') + "digest(net)\n"
    changes_no_bit(scripts, "tensorflow", body)


def test_what_is_weighed_or_several_is_no_loss(scripts):
    body = """
import tensorflow as tf
model = dense(1)
for weighed in (False, True):
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean((model(x[:1]) - y[:1]) ** 2)
    if weighed:
        tape.gradient(loss, model.trainable_variables, output_gradients=tf.constant(0.3))
        tape.gradient([loss, loss], model.trainable_variables)
    else:
        tape.gradient(loss, model.trainable_variables)
        keep("costs/train", loss)
"""
    record(scripts, "tensorflow", body)
