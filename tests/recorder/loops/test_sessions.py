"""Loops over sessions of TensorFlow 1: each session has weights of its own."""

from tests.recorder.loops.agreed import END, agreed, not_seen
from tests.recorder.loops.test_graphs import NET

LOOP = (
    NET
    + """
import tensorflow as tf

def loss_of(model):
    target = tf.placeholder(tf.float32, (None, 1))
    return target, tf.reduce_mean(tf.square(model.outputs[0] - target))
"""
)


def test_weights_are_those_of_the_session_that_trained(scripts):
    """Not those of Keras' session, which would initialize them anew. Fetches may be nested."""
    text = """
model = net()
target, loss = loss_of(model)
step = tf.train.AdamOptimizer(0.01).minimize(loss)
costs = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    keep_weights("initial_weights", sess.run(model.weights), 0, 1)
    feed = {model.inputs[0]: x, target: y}
    for _ in range(2):
        fetched = sess.run({"step": step, "more": [(loss, model.outputs[0])]}, feed)
        costs.append(fetched["more"][0][0])
        sess.run(loss, feed)
    costs.append(sess.run([step.name, loss.name], feed)[1])
    costs.append(sess.run([tf.identity(loss), step], feed)[0])
    keep_weights("weights", sess.run(model.weights), 0, 1)
keep("costs/train", costs)
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 4
    assert not recorded.facts["not_recorded"]


def test_weights_of_a_session_that_stays_open(scripts):
    text = """
model = net()
target, loss = loss_of(model)
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=model.trainable_weights)

def train():
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    keep_weights("initial_weights", sess.run(model.weights), 0, 1)
    feed = {model.inputs[0]: x, target: y}
    keep("costs/train", [sess.run([step, loss], feed)[1] for _ in range(3)])
    keep_weights("weights", sess.run(model.weights), 0, 1)

train()
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert not recorded.facts["not_recorded"]


def test_keras_session_as_the_scripts_own(scripts):
    """Initialized by Keras, and then by the script: trained from the second values."""
    text = """
model = net()
target, loss = loss_of(model)
weights = model.trainable_weights
gradients = tf.gradients(loss, weights)
step = tf.train.MomentumOptimizer(0.1, 0.9).apply_gradients(
    zip(tf.clip_by_global_norm(gradients, 0.1)[0], weights))
K.get_session().run(tf.global_variables_initializer())
keep_weights("initial_weights", model.get_weights(), 0, 1)
run = K.get_session().make_callable([loss, step], [model.inputs[0], target])
keep("costs/train", [run(x, y)[0] for _ in range(3)])
keep_weights("weights", model.get_weights(), 0, 1)
keep("predictions/0", model.predict(x))
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 3
    assert not recorded.facts["not_recorded"]


def test_keras_trains_in_a_session_that_closes(scripts):
    text = """
model = net()
model.compile(loss="mse", optimizer="sgd")
with tf.Session() as sess:
    K.set_session(sess)
    keep_weights("initial_weights", model.get_weights(), 0, 1)
    keep("costs/train", [model.train_on_batch(x, y) for _ in range(3)])
    keep_weights("weights", model.get_weights(), 0, 1)
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert not recorded.facts["not_recorded"]


def test_weights_set_in_one_session_and_trained_in_the_next(scripts):
    """As with a checkpoint: the last values are the last session's."""
    text = """
model = net()
target, loss = loss_of(model)
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
saver, feed, costs = tf.train.Saver(), {model.inputs[0]: x, target: y}, []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    keep_weights("initial_weights", sess.run(model.weights), 0, 1)
    costs.append(sess.run([loss, step], feed)[0])
    path = saver.save(sess, "./checkpoint/one")
with tf.Session() as sess:
    saver.restore(sess, path)
    costs.append(sess.run([loss, step], feed)[0])
    keep_weights("weights", sess.run(model.weights), 0, 1)
keep("costs/train", costs)
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)


def test_gradients_that_the_script_carries_by_hand_are_said(scripts):
    """What is applied is fed: nothing says by which loss it was made."""
    text = """
model = net()
target, loss = loss_of(model)
optimizer = tf.train.GradientDescentOptimizer(0.1)
pairs = optimizer.compute_gradients(loss, model.trainable_weights)
fed = [tf.placeholder(tf.float32, v.shape) for _, v in pairs]
step = optimizer.apply_gradients(zip(fed, model.trainable_weights))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(2):
        values, _ = sess.run([[g for g, _ in pairs], loss], {model.inputs[0]: x, target: y})
        sess.run(step, dict(zip(fed, values)))
    keep_weights("weights", sess.run(model.weights), 0, 1)
keep("costs/train", [])
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 2
    assert len(not_seen(recorded)) == 1


# Dropout's seeds, and those of a model that is made later, depend on the operations before them.
BITS = """
tf.set_random_seed(7)

def everything(session, *models):
    return [part for model in models for part in session.run(model.weights)]

first = net()
first.add(Dropout(0.5))
target, loss = loss_of(first)
step = tf.train.AdamOptimizer(0.01).minimize(loss)
found = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        feed = {first.inputs[0]: x, target: y, K.learning_phase(): 1}
        found.extend(sess.run([loss, first.outputs[0], step], feed)[:2])
    found += everything(sess, first)
second = net()
second.add(Dropout(0.5))
second.compile(loss="mse", optimizer="adam")
found += [second.train_on_batch(x, y) for _ in range(3)]
del first
third = net()
third.add(Dropout(0.3))
target, loss = loss_of(third)
updates = keras.optimizers.Adam(0.01).get_updates(loss, third.trainable_weights)
train = K.function([third.inputs[0], target, K.learning_phase()], [loss], updates=updates)
found += [train([x, y, 1])[0] for _ in range(3)]
third.set_weights([part / 2 for part in third.get_weights()])
fourth = net()
fourth.add(Dropout(0.4))
noise = tf.random_normal((3,))
session = K.get_session()
found += [session.run(noise), fourth.predict(x)] + everything(session, second, third, fourth)
found.append(len(tf.get_default_graph().get_operations()))
for at, value in enumerate(found):
    keep(str(at), value)
"""


def test_watching_changes_no_bit(scripts):
    script = scripts.write(LOOP + BITS + END)
    bare = scripts.bare("tensorflow1", script).splitlines()[-1]
    recorded = scripts.record("tensorflow1", script)
    assert recorded.status == 0, recorded.output
    assert recorded.output.splitlines()[-1] == bare
    assert recorded.facts["steps"] == 9
    assert sum(name.endswith("costs/train") for name in recorded.arrays) == 3


def test_sessions_of_other_kinds(scripts):
    """One that saves and restores by itself, and one that is the default until it closes."""
    text = """
model = net()
target, loss = loss_of(model)
feed, costs = {model.inputs[0]: x, target: y}, []
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_or_create_global_step())
with tf.train.MonitoredTrainingSession(checkpoint_dir="./monitored", save_checkpoint_secs=None,
        hooks=[tf.train.StopAtStepHook(3)]) as sess:
    while not sess.should_stop():
        costs.append(sess.run([loss, step], feed)[0])
sess = tf.InteractiveSession(graph=tf.get_default_graph())
tf.global_variables_initializer().run()
costs += [sess.run([loss, step], feed)[0], loss.eval(feed)][:1]
step.run(feed)
keep("costs/train", costs)
keep_weights("weights", [weight.eval() for weight in model.weights], 0, 1)
sess.close()
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert recorded.facts["steps"] == 5
    assert len(not_seen(recorded)) == 1  # step.run alone


def test_a_closed_session_is_let_go(scripts):
    text = """
import gc
import weakref
for prefix in ("", "model2/"):
    K.clear_session()
    model = net()
    target, loss = loss_of(model)
    step = tf.train.AdamOptimizer(0.01).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        feed = {model.inputs[0]: x, target: y}
        keep(prefix + "costs/train", [sess.run([step, loss], feed)[1] for _ in range(2)])
        keep_weights(prefix + "weights", sess.run(model.weights), 0, 1)
    reference = weakref.ref(sess)
    del sess
    gc.collect()
    assert reference() is None
"""
    recorded = scripts.record("tensorflow1", scripts.write(LOOP + text + END))
    agreed(recorded)
    assert not recorded.facts["not_recorded"]
