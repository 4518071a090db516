"""Loops on JAX as people write them. Each says last, as JSON, what it computed itself."""

IMPORTS = """
import functools
import json

import jax
import jax.numpy as jnp
import keras
import numpy as np

kept = {}


def net():
    return keras.Sequential([
        keras.Input((3,)),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ])


def values(variables):
    return [variable.value for variable in variables]


def keep(key, value):
    kept.setdefault(number + key, []).extend(float(part).hex() for part in np.ravel(value))


def keep_weights(trainable, others=None, prefix="weights/", model=None):
    model = model or globals()["model"]
    places = ("0.dense.", "1.batch_normalization.", "2.dense.")
    names = [places[number] + name for number, name in [
        (0, "kernel"), (0, "bias"), (1, "gamma"), (1, "beta"), (2, "kernel"), (2, "bias")]]
    for name, value in zip(names, trainable):
        keep(prefix + name, value)
    for name, value in zip(("moving_mean", "moving_variance"), others or ()):
        keep(prefix + places[1] + name, value)


def batches(count=6, size=4):
    for step in range(count):
        at = step * size % 24
        yield x[at : at + size], y[at : at + size]


"""
# Once for each loop: the number of its model stands in front of the names of its arrays.
BEGIN = """
number = ""
rng = np.random.RandomState(3)
x = rng.rand(24, 3).astype("float32")
y = rng.rand(24, 1).astype("float32")
keras.utils.set_random_seed(7)
model = net()
mse = keras.losses.MeanSquaredError()
tv, ntv = values(model.trainable_variables), values(model.non_trainable_variables)
keep_weights(tv, ntv, "initial_weights/")


def compute(tv, ntv, x, y):
    outputs, ntv = model.stateless_call(tv, ntv, x, training=True)
    return mse(y, outputs), ntv


def plain(tv, x, y):
    outputs, _ = model.stateless_call(tv, ntv, x)
    return jnp.mean(jnp.square(outputs - y))


def sgd(tv, gradients, rate=0.05):
    return [value - rate * gradient for value, gradient in zip(tv, gradients)]


def write_back(tv, ntv=()):
    for variable, value in zip(model.trainable_variables, tv):
        variable.assign(value)
    for variable, value in zip(model.non_trainable_variables, ntv):
        variable.assign(value)
"""
END = """
print(json.dumps(kept))
"""

# What each keeps is what must be kept: no more and no less of costs, no other value of weights.
WHOLE = {
    "eager value_and_grad, last given": """
for a, b in batches():
    given = tv
    loss, gradients = jax.value_and_grad(plain)(tv, a, b)
    tv = sgd(tv, gradients)
    keep("costs/train", loss)
keep_weights(given, ntv)
""",
    "eager, written back": """
step = jax.value_and_grad(compute, has_aux=True)
for a, b in batches():
    (loss, ntv), gradients = step(tv, ntv, a, b)
    tv = sgd(tv, gradients)
    write_back(tv, ntv)
    keep("costs/train", loss)
keep_weights(tv, ntv)
""",
    "eager, Keras' optimizer without state": """
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
ov = values(optimizer.variables)
for a, b in batches():
    (loss, ntv), gradients = jax.value_and_grad(compute, has_aux=True)(tv, ntv, a, b)
    tv, ov = optimizer.stateless_apply(ov, gradients, tv)
    keep("costs/train", loss)
keep_weights(tv, ntv)
""",
    "eager, Keras' optimizer on the model's own": """
optimizer = keras.optimizers.Adam(0.01)
for a, b in batches():
    loss, gradients = jax.value_and_grad(plain)(values(model.trainable_variables), a, b)
    optimizer.apply(gradients, model.trainable_variables)
    keep("costs/train", loss)
keep_weights(values(model.trainable_variables), ntv)
""",
    "grad alone, and its loss beside": """
def both(tv, x, y):
    loss = plain(tv, x, y)
    return loss, {"loss": loss}


for a, b in batches():
    given = tv
    gradients, aux = jax.grad(both, has_aux=True)(tv, a, b)
    tv = sgd(tv, gradients)
    keep("costs/train", aux["loss"])
keep_weights(given, ntv)
""",
    "argnums by name": """
def late(x, y, tv):
    return plain(tv, x, y)


for a, b in batches():
    given = tv
    loss, (gradients,) = jax.value_and_grad(fun=late, argnums=(2,))(a, b, tv)
    tv = sgd(tv, gradients)
    keep("costs/train", loss)
keep_weights(given, ntv)
""".replace("fun=late", "late"),
    "a value_and_grad of a jit": """
step = jax.value_and_grad(jax.jit(plain))
for a, b in batches():
    given = tv
    loss, gradients = step(tv, a, b)
    tv = sgd(tv, gradients)
    keep("costs/train", loss)
keep_weights(given, ntv)
""",
    "a jit of a value_and_grad": """
from jax import jit, value_and_grad

step = jit(value_and_grad(plain))
for a, b in batches():
    given = tv
    loss, gradients = step(tv, a, b)
    tv = sgd(tv, gradients)
    keep("costs/train", loss)
keep_weights(given, ntv)
""",
    "as Keras' guide does": """
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
grad_fn = jax.value_and_grad(compute, has_aux=True)


@jax.jit
def train_step(state, data):
    tv, ntv, ov = state
    (loss, ntv), gradients = grad_fn(tv, ntv, *data)
    tv, ov = optimizer.stateless_apply(ov, gradients, tv)
    return loss, (tv, ntv, ov)


state = tv, ntv, values(optimizer.variables)
for size in (4, 3):  # two traces
    for data in batches(size=size):
        loss, state = train_step(state, data)
        keep("costs/train", loss)
keep_weights(*state[:2])
""",
    "donated, with an Adam of its own": """
@functools.partial(jax.jit, donate_argnums=(0, 1), static_argnames="rate")
def train_step(tv, moments, ntv, x, y, rate):
    (loss, _), gradients = jax.value_and_grad(compute, has_aux=True)(tv, ntv, x, y)
    first = [0.9 * m + 0.1 * g for m, g in zip(moments[0], gradients)]
    second = [0.99 * m + 0.01 * g * g for m, g in zip(moments[1], gradients)]
    tv = [v - rate * m / (jnp.sqrt(s) + 1e-7) for v, m, s in zip(tv, first, second)]
    return {"weights": tv, "loss": loss}, (first, second)


zeros = [jnp.zeros_like(value) for value in tv]
moments = zeros, [jnp.zeros_like(value) for value in tv]
for a, b in batches():
    result, moments = train_step(tv, moments, ntv, a, b, rate=0.01)
    tv = result["weights"]
    keep("costs/train", result.pop("loss"))
keep_weights(tv, ntv)
""",
    "a method, with static arguments": """
class Trainer:
    def __init__(self, model):
        self.model = model

    @functools.partial(jax.jit, static_argnums=(0, 4))
    def step(self, tv, x, y, train=True):
        def loss_of(tv):
            outputs, _ = self.model.stateless_call(tv, ntv, x)
            return mse(y, outputs)

        if not train:
            return 2 * loss_of(tv), tv
        loss, gradients = jax.value_and_grad(loss_of)(tv)
        return loss, sgd(tv, gradients)


trainer = Trainer(model)
for count, (a, b) in enumerate(batches()):
    loss, tv = trainer.step(tv, a, b, count % 3 != 1)
    if count % 3 != 1:
        keep("costs/train", loss)
        last = tv
    if count == 3:
        Trainer(net()).step(values(net().trainable_variables), a, b, False)
keep_weights(last, ntv)
""",
    "jits within jits": """
@jax.jit
def gradients_of(tv, ntv, x, y):
    return jax.value_and_grad(jax.jit(compute), has_aux=True)(tv, ntv, x, y)


@jax.jit
def update(tv, gradients):
    return sgd(tv, gradients)


@jax.jit
def train_step(tv, ntv, batch):
    (loss, ntv), gradients = gradients_of(tv, ntv, *batch)
    return update(tv, gradients), ntv, jnp.sqrt(loss), {"loss": loss}


@jax.jit
def other_step(batch, tv, ntv):
    (loss, ntv), gradients = gradients_of(tv, ntv, *batch)
    return loss, update(tv, gradients), ntv


for batch in batches(3):
    tv, ntv, _, logs = train_step(tv, ntv, batch)
    keep("costs/train", logs["loss"])
for batch in batches(3):
    loss, tv, ntv = other_step(batch, tv, ntv)
    keep("costs/train", loss)
(loss, ntv), gradients = gradients_of(tv, ntv, *batch)
keep("costs/train", loss)
keep_weights(tv, ntv)
""",
    "a jit made anew for each step": """
def train_step(tv, x, y):
    loss, gradients = jax.value_and_grad(plain)(tv, x, y)
    return loss, sgd(tv, gradients)


for a, b in batches():
    loss, tv = jax.jit(train_step)(tv, a, b)
    keep("costs/train", loss)
assert jax.jit(train_step)._cache_size() == 1
keep_weights(tv, ntv)
""",
    "remat, and a scope of its own": """
def loss_of(tv, x, y):
    @jax.checkpoint
    def forward(tv, x):
        with keras.StatelessScope(state_mapping=zip(model.trainable_variables, tv)):
            return model(x)

    return mse(y, forward(tv, x))


@jax.jit
def train_step(tv, x, y):
    loss, gradients = jax.value_and_grad(loss_of)(tv, x, y)
    return loss, sgd(tv, gradients)


for a, b in batches():
    loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
write_back(tv)
keep_weights(tv, ntv)
""",
    "scans": """
def step(tv, batch):
    loss, gradients = jax.value_and_grad(plain)(tv, *batch)
    return sgd(tv, gradients), {"double": loss * 2, "loss": loss}


@functools.partial(jax.jit, donate_argnums=0)
def epochs(tv, x, y):
    def epoch(tv, _):
        return jax.lax.scan(step, tv, (x.reshape(6, 4, 3), y.reshape(6, 4, 1)))

    return jax.lax.scan(epoch, tv, None, length=2)


tv, logs = jax.lax.scan(step, tv, (x.reshape(6, 4, 3), y.reshape(6, 4, 1)))
keep("costs/train", logs["loss"])
tv, logs = jax.lax.scan(step, init=tv, xs=(x.reshape(6, 4, 3), y.reshape(6, 4, 1)))
keep("costs/train", logs["loss"])
tv, logs = jax.lax.scan(f=step, init=tv, xs=(x.reshape(3, 8, 3), y.reshape(3, 8, 1)), unroll=3)
keep("costs/train", logs["loss"])
for _ in range(3):
    tv, logs = epochs(tv, x, y)
    keep("costs/train", logs["loss"])
keep_weights(tv, ntv)
""",
    "scans, Keras' optimizer without state": """
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)


def step(state, batch):
    tv, ntv, ov = state
    (loss, ntv), gradients = jax.value_and_grad(compute, has_aux=True)(tv, ntv, *batch)
    tv, ov = optimizer.stateless_apply(ov, gradients, tv)
    return (tv, ntv, ov), loss


state = tv, ntv, values(optimizer.variables)
state, losses = jax.jit(functools.partial(jax.lax.scan, step))(
    state, (x.reshape(6, 4, 3), y.reshape(6, 4, 1))
)
keep("costs/train", losses)
keep_weights(*state[:2])
""",
    "losses that the optimizer scales": """
optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)
optimizer.build(model.trainable_variables)
ov = values(optimizer.variables)


def scaled(tv, ov, x, y):
    loss = plain(tv, x, y)
    with keras.StatelessScope(state_mapping=zip(optimizer.variables, ov)):
        return optimizer.scale_loss(loss), {"loss": loss}


def update(tv, ov, x, y):
    (_, logs), gradients = jax.value_and_grad(scaled, has_aux=True)(tv, ov, x, y)
    return *optimizer.stateless_apply(ov, gradients, tv), logs["loss"]


compiled = jax.jit(update)
for step, (a, b) in enumerate(batches()):
    tv, ov, loss = (update if step < 2 else compiled)(tv, ov, a, b)
    keep("costs/train", loss)
keep_weights(tv, ntv)
""",
    "disable_jit": """
@jax.jit
def train_step(tv, x, y):
    loss, gradients = jax.value_and_grad(plain)(tv, x, y)
    return loss, sgd(tv, gradients)


for count, (a, b) in enumerate(batches()):
    with jax.disable_jit(count == 3):
        loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
keep_weights(tv, ntv)
""",
    "accumulated, assigned within": """
@jax.jit
def train_step(tv, x, y):
    def loss_of(tv):
        with keras.StatelessScope():
            for variable, value in zip(model.trainable_variables, tv):
                variable.assign(value)
            return mse(y, model(x))

    loss, gradients = jax.value_and_grad(loss_of)(tv)
    return loss, sgd(tv, gradients)


for a, b in batches():
    loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
write_back(tv)
keep_weights(tv, ntv)
""",
    "gradients by the inputs, which are no loss": """
@jax.jit
def train_step(tv, x, y):
    def loss_of(tv):
        slope = jax.grad(lambda x: jnp.sum(model.stateless_call(tv, ntv, x)[0]))(x)
        return plain(tv, x, y) + 0.1 * jnp.mean(slope**2)

    loss, gradients = jax.value_and_grad(loss_of)(tv)
    return loss, sgd(tv, gradients)


for a, b in batches():
    jax.value_and_grad(plain, argnums=1)(tv, a, b)
    loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
loss, _ = jax.value_and_grad(plain)(tv, a, b)
keep("costs/train", loss)
jax.value_and_grad(plain, argnums=1)(tv, a, b)
keep_weights(tv, ntv)
""",
    "a checkpoint that is traced once, and vjp": """
@jax.checkpoint
def forward(tv, x):
    return model.stateless_call(tv, ntv, x)[0]


def loss_of(tv, x, y):
    return mse(y, forward(tv, x))


for a, b in batches():
    loss, gradients = jax.value_and_grad(loss_of)(tv, a, b)
    keep("costs/train", loss)
    tv = sgd(tv, gradients)
    loss, back = jax.vjp(functools.partial(plain, x=a, y=b), tv)
    keep("costs/train", loss)
    tv = sgd(tv, back(jnp.ones_like(loss))[0])
write_back(tv)
keep_weights(tv, ntv)
""",
    "compiled ahead of time": """
@functools.partial(jax.jit, donate_argnums=0)
def train_step(tv, x, y):
    loss, gradients = jax.value_and_grad(plain)(tv, x, y)
    return loss, sgd(tv, gradients)


compiled = train_step.lower(tv, x[:4], y[:4]).compile()
assert isinstance(compiled, jax.stages.Compiled) and compiled.cost_analysis()
for a, b in batches(count=3):
    loss, tv = compiled(tv, a, b)
    keep("costs/train", loss)
for a, b in batches(count=3):
    loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
keep_weights(tv, ntv)
""",
}

RECORDED = """
from keras_repro import record

for a, b in batches():
    given = tv
    loss, gradients = jax.value_and_grad(plain)(tv, a, b)
    tv = sgd(tv, gradients)
    record.cost(3 * loss)
    keep("costs/train", 3 * loss)
keep_weights(given, ntv)
"""

TWO_MODELS = """
maker = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
judge = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.Dense(1)])
gv, dv = values(maker.trainable_variables), values(judge.trainable_variables)


def judged(dv, inputs):
    return judge.stateless_call(dv, [], inputs)[0]


@jax.jit
def train_step(gv, dv, x):
    def judge_loss(dv):
        made, _ = maker.stateless_call(gv, [], x)
        return jnp.mean(jax.nn.softplus(-judged(dv, x)) + jax.nn.softplus(judged(dv, made)))

    def maker_loss(gv):
        made, _ = maker.stateless_call(gv, [], x)
        return jnp.mean(jax.nn.softplus(-judged(dv, made)))

    of_judge, gradients = jax.value_and_grad(judge_loss)(dv)
    dv = sgd(dv, gradients)
    of_maker, gradients = jax.value_and_grad(maker_loss)(gv)
    return sgd(gv, gradients), dv, {"maker": of_maker, "judge": of_judge}


for a, _ in batches():
    gv, dv, losses = train_step(gv, dv, a)
    keep("costs/train", losses["judge"])
    keep("model2/costs/train", losses["maker"])
for name, value in zip(("0.dense.kernel", "0.dense.bias", "1.dense.kernel", "1.dense.bias"), dv):
    keep("weights/" + name, value)
for name, value in zip(("kernel", "bias"), gv):
    keep("model2/weights/0.dense." + name, value)
for key in [key for key in kept if key.startswith("initial_weights/")]:
    kept["model3/" + key] = kept.pop(key)
"""

# By what must be said of each: what it keeps must be kept, and no costs besides.
UNSEEN = {
    "a scan that adds up its losses": (
        "step",
        """
@jax.jit
def epoch(tv, x, y):
    def step(carried, batch):
        tv, total = carried
        loss, gradients = jax.value_and_grad(plain)(tv, *batch)
        return (sgd(tv, gradients), total + loss), None

    return jax.lax.scan(step, (tv, 0.0), (x.reshape(6, 4, 3), y.reshape(6, 4, 1)))


for _ in range(3):
    (tv, total), _ = epoch(tv, x, y)
keep_weights(tv, ntv)
""",
    ),
    "a scan that carries its last loss": (
        "step",
        """
def step(carried, batch):
    tv, _ = carried
    loss, gradients = jax.value_and_grad(plain)(tv, *batch)
    return (sgd(tv, gradients), loss), None


(tv, loss), _ = jax.lax.scan(step, (tv, 0.0), (x.reshape(6, 4, 3), y.reshape(6, 4, 1)))
write_back(tv)
keep_weights(tv, ntv)
""",
    ),
    "a scan from its end": (
        "plain",
        """
def step(tv, batch):
    loss, gradients = jax.value_and_grad(plain)(tv, *batch)
    return sgd(tv, gradients), loss


data = x.reshape(6, 4, 3), y.reshape(6, 4, 1)
tv, losses = jax.lax.scan(step, tv, data, reverse=True)
write_back(tv)
keep_weights(tv, ntv)
""",
    ),
    "a loss that the optimizer scales": (
        "scaled",
        """
optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)


def scaled(tv, x, y):
    return optimizer.scale_loss(plain(tv, x, y))


for a, b in batches():
    loss, gradients = jax.value_and_grad(scaled)(tv, a, b)
    tv = sgd(tv, gradients, 0.05 / 8)
write_back(tv)
keep_weights(tv, ntv)
""",
    ),
    "a loss that is scaled before": (
        "train_step",
        """
@jax.jit
def train_step(tv, x, y):
    loss, gradients = jax.value_and_grad(plain)(tv, x, y)
    return loss / 2, sgd(tv, gradients)


for a, b in batches():
    loss, tv = train_step(tv, a, b)
keep_weights(tv, ntv)
""",
    ),
    "a loss that stays within": (
        "inner",
        """
@jax.jit
def inner(tv, x, y):
    return sgd(tv, jax.grad(plain)(tv, x, y))


@jax.jit
def outer(tv, x, y):
    return inner(tv, x, y)


for a, b in batches():
    tv = outer(tv, a, b)
write_back(tv, ntv)
keep_weights(tv, ntv)
""",
    ),
    "pmap": (
        "plain",
        """
step = jax.pmap(jax.value_and_grad(plain))
for a, b in batches():
    loss, gradients = step([v[None] for v in tv], a[None], b[None])
    tv = sgd(tv, [gradient[0] for gradient in gradients])
""",
    ),
    "a function that is another than it was": (
        "train_step",
        """
mode = [1.0]


@jax.jit
def train_step(tv, x, y):
    if not mode:
        return 2 * plain(tv, x, y), tv
    loss, gradients = jax.value_and_grad(plain)(tv, x, y)
    return loss, sgd(tv, gradients)


for a, b in batches():
    loss, tv = train_step(tv, a, b)
    keep("costs/train", loss)
mode.clear()
train_step.clear_cache()
loss, tv = train_step(tv, a, b)
loss, tv = train_step(tv, a, b)
""",
    ),
    "outputs that are differentiated": (
        "forward",
        """
def forward(tv, x):
    return model.stateless_call(tv, ntv, x)[0]


for a, b in batches():
    outputs, back = jax.vjp(lambda tv: forward(tv, a), tv)
    tv = sgd(tv, back(outputs - b)[0])
write_back(tv)
keep_weights(tv, ntv)
""".replace("lambda tv: forward(tv, a)", "functools.partial(forward, x=a)"),
    ),
    "weights in one vector": (
        "",
        """
from jax.flatten_util import ravel_pytree

flat, apart = ravel_pytree(tv)


@jax.jit
def train_step(flat, x, y):
    loss, gradient = jax.value_and_grad(lambda flat: plain(apart(flat), x, y))(flat)
    return loss, flat - 0.05 * gradient


for a, b in batches():
    loss, flat = train_step(flat, a, b)
    keep("costs/train", loss)
""",
    ),
}

UNDER_KERAS = """
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(1)

    def call(self, inputs):
        return self.inner(inputs)

    def train_step(self, state, data):
        tv, ntv, ov, mv = state

        def loss_of(tv, ntv):
            outputs, ntv = self.stateless_call(tv, ntv, data[0])
            return mse(data[1], outputs), ntv

        (loss, ntv), gradients = jax.value_and_grad(loss_of, has_aux=True)(tv, ntv)
        tv, ov = self.optimizer.stateless_apply(ov, gradients, tv)
        return {"loss": loss}, (tv, ntv, ov, mv)


class Logs(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        keep("costs/train", logs["loss"])


kept.clear()
model = Own()
model.compile(optimizer="sgd", loss="mse")
model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False, callbacks=[Logs()])
keep("weights/0.dense.kernel", model.inner.kernel)
keep("weights/0.dense.bias", model.inner.bias)
"""

AS_BEFORE = """
import copy
import inspect


def double(x, times=2):
    "Doubles."
    return times * x


fast = jax.jit(double, static_argnames="times")
assert (fast.__name__, fast.__doc__, fast.__wrapped__) == ("double", "Doubles.", double)
assert inspect.signature(fast) == inspect.signature(double)
assert callable(fast) and fast.lower(1.0).compile()(1.0) == 2.0
assert fast.trace(1.0).jaxpr and fast.eval_shape(1.0).shape == ()
fast.note = "kept"
assert fast.note == "kept" and not hasattr(fast, "nothing") and "double" in repr(fast)
assert isinstance(fast, jax.stages.Wrapped)
assert copy.deepcopy(fast)(2.0) == copy.copy(fast)(2.0) == 4.0
assert len({fast, fast}) == 1
fast(1.0)
fast.clear_cache()
assert jax.vmap(fast)(x).shape == x.shape
assert jax.jit(fast)(1.0) == jax.checkpoint(fast)(1.0) == 2.0
assert jax.eval_shape(fast, 1.0).shape == () and jax.make_jaxpr(fast)(1.0)
assert jax.jvp(fast, (1.0,), (1.0,)) == (2.0, 2.0)
assert jax.export.export(fast)(1.0).mlir_module()


class Thing:
    @jax.jit
    def alone(x):
        return x

    @functools.partial(jax.jit, static_argnums=0)
    def add(self, x):
        return x + 1


assert Thing.alone(1.0) == 1.0 and Thing().add(1.0) == 2.0 and Thing.add is Thing.add
assert jax.jit(functools.partial(double, times=5))(1.0) == 5.0
assert jax.jit(static_argnames="times")(double)(1.0, times=4) == 4.0
assert jax.jit(double, static_argnums=[1])(1.0, 3) == 3.0
assert jax.grad(lambda x, of_both: 2 * x)(1.0, {1: 2, "a": 3}) == 2.0
assert jax.grad(double)(1.0) == 2.0 and jax.grad(double).__name__ == "double"
for wrong in (lambda: jax.jit(3), lambda: jax.jit(), lambda: jax.grad(double)(x)):
    try:
        wrong()()
    except TypeError as error:
        print(type(error))
"""
