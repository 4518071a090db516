"""Loops in PyTorch: each loss that was differentiated is kept, as the script computed it."""

import pytest

from tests.recorder.loops.written import changes_no_bit, record

TORCH = """
import torch

x, y = torch.from_numpy(x), torch.from_numpy(y)


def loss_of(model, a=x, b=y):
    return torch.nn.functional.mse_loss(model(a), b)
"""
TRAINED = (
    TORCH
    + """
class Net(keras.Model):  # with the same weights as the model in it
    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])

    def call(self, inputs):
        return self.inner(inputs)


net = Net()
net(x)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for number in range(8):  # two losses for a step
    loss = loss_of(net, x[:8], y[:8]) / 2
    loss.backward()
    keep("costs/train", loss)
    loss = loss_of(net, x[8:], y[8:]) / 2
    torch.autograd.backward(loss)
    keep("costs/train", loss)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=number % 2 == 0)
"""
)


def test_optimizers_of_torch(scripts):
    end = """
import weakref
left = weakref.ref(loss)
del loss
assert left() is None  # nothing of ours holds it, or its graph
"""
    recorded = record(scripts, "torch", TRAINED + end)
    assert recorded.facts["steps"] == 8
    assert recorded.facts["not_recorded"] == {}
    initial = recorded.arrays["initial_weights/0.sequential.0.dense.kernel"]
    assert (initial != recorded.arrays["weights/0.sequential.0.dense.kernel"]).any()


def test_an_optimizer_of_keras_and_none(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
model, optimizer = dense(4, 1), keras.optimizers.Adam(0.01)
first(model)
for _ in range(4):
    model.zero_grad()
    loss = loss_of(model)
    keep("costs/train", loss)
    loss.backward()
    weights = list(model.trainable_weights)
    gradients = [weight.value.grad for weight in weights]
    with torch.no_grad():
        optimizer.apply(gradients, weights)

other = dense(1)
first(other, "model2/")
for number in range(3):
    loss = loss_of(other)
    keep("model2/costs/train", loss)
    gradients = torch.autograd.grad(loss, other.parameters())
    with torch.no_grad():
        for weight, gradient in zip(other.parameters(), gradients):
            weight.sub_(0.1 * gradient)
""",
    )
    assert recorded.facts["steps"] == 4
    assert recorded.facts["not_recorded"] == {}


@pytest.mark.parametrize("record_it", [False, True])
def test_no_optimizer(scripts, record_it):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
from keras_repro import record
model = dense(1)
first(model)
outer = keras.Sequential([dense(4), keras.layers.Dense(1)])  # two models have its weights
outer(x)
for number in range(5):
    for key, net in (("", model), ("model2/", outer)):
        loss = loss_of(net)
        loss.backward()
        if not RECORD:
            keep(key + "costs/train", loss)
        with torch.no_grad():
            for weight in net.parameters():
                weight.sub_(0.1 * weight.grad)
                weight.grad = None
    if RECORD:
        record.cost(loss)
        keep("costs/train", loss)
""".replace("RECORD", str(record_it)),
    )
    assert recorded.facts["steps"] == (5 if record_it else 10)
    assert recorded.facts["not_recorded"] == {}


@pytest.mark.parametrize("together", [False, True])
def test_two_models_and_a_gradient_penalty(scripts, together):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
generator, discriminator = dense(4, 3), dense(4, 1)
both = keras.Sequential([generator, discriminator])
both(x)
g, d = ("", "model2/") if TOGETHER else ("model2/", "")  # whose optimizer is the first
first(generator, g)
first(discriminator, d)
of_d = torch.optim.SGD(discriminator.parameters(), lr=0.01)
of_g = torch.optim.Adam(generator.parameters(), lr=0.01)
for _ in range(3):
    made = generator(x.flip(0))
    between = made.detach().requires_grad_()
    judged = discriminator(between).sum()
    [by_inputs] = torch.autograd.grad(judged, between, create_graph=True)
    of_d.zero_grad()
    real = -discriminator(x).mean()
    real.backward()
    keep(d + "costs/train", real)
    fake = discriminator(made.detach()).mean() + (by_inputs**2).mean()
    fake.backward()
    keep(d + "costs/train", fake)
    if not TOGETHER:
        of_d.step()
    of_g.zero_grad()
    loss = -both(x.flip(0)).mean()
    loss.backward(inputs=list(generator.parameters()) if TOGETHER else None)
    keep(g + "costs/train", loss)
    of_g.step()
    if TOGETHER:
        of_d.step()
""".replace("TOGETHER", str(together)),
    )
    assert recorded.facts["steps"] == 6
    assert recorded.facts["not_recorded"] == {}


def test_modules_around_and_within(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
class Around(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = dense(4)
        self.head = torch.nn.Linear(4, 1)

    def forward(self, inputs):
        return self.head(self.model(inputs))


around = Around()
optimizer = torch.optim.LBFGS(around.parameters(), max_iter=3)

def closure():
    optimizer.zero_grad()
    loss = loss_of(around)
    loss.backward()
    keep("costs/train", loss)
    return loss

for _ in range(2):
    optimizer.step(closure)

within = keras.Sequential([keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 1))])
kept["model2/initial_weights/0.torch_module_wrapper.variable"] = [
    float(value).hex() for value in np.ravel(within.get_weights()[0])
]
optimizer = torch.optim.SGD(within.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
for _ in range(3):
    optimizer.zero_grad()
    loss = loss_of(within)
    scaler.scale(loss).backward()
    keep("model2/costs/train", loss)
    scaler.step(optimizer)
    scaler.update()

apart = torch.nn.Linear(3, 1)  # no model of Keras
optimizer = torch.optim.SGD(apart.parameters(), lr=0.1)
loss_of(apart).backward()
optimizer.step()
""",
    )
    assert recorded.facts["steps"] == 2 + 3
    assert recorded.facts["not_recorded"] == {}


def test_beside_what_keras_trains(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
class Costs(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        keep("costs/train", logs["loss"])


class Stepping(keras.Sequential):
    def train_step(self, data):
        a, b = data
        self.zero_grad()
        loss = loss_of(self, a, b)
        loss.backward()
        weights = self.trainable_weights
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
        return {"loss": loss.detach()}

    def train_on_batch(self, a, b):
        return float(self.train_step((a, b))["loss"])


model = Stepping([keras.layers.Dense(1)])
model.compile(optimizer="sgd")
model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Costs()])
keep("costs/train", model.train_on_batch(x, y))
model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Costs()])
""",
    )
    assert recorded.facts["steps"] == 2 + 1 + 2
    assert recorded.facts["not_recorded"] == {}


def test_an_error_of_ours_ends_no_script(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
from keras_repro.recorder import active

def broken(*_):
    raise RuntimeError("on purpose")

active.capture.model_cost = broken
model = dense(1)
both = keras.Sequential([dense(3), model])
loss_of(model).backward()
loss_of(both).backward()  # of which it is not known at once whose it is
""",
    )
    [said] = recorded.facts["not_recorded"].values()
    assert "RuntimeError: on purpose" in said


def test_compiled_by_torch(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
model = dense(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

@torch.compile(backend="eager")
def step():
    optimizer.zero_grad()
    loss = loss_of(model)
    loss.backward()
    optimizer.step()
    return loss.detach()

for _ in range(3):
    keep("costs/train", step())
""",
    )
    assert recorded.facts["steps"] == 3


def test_what_cannot_be_seen_is_said(scripts):
    recorded = record(
        scripts,
        "torch",
        TORCH
        + """
one, other = dense(1), dense(1)
(loss_of(one) + loss_of(other)).backward()
((one(x) - y) ** 2).backward(torch.ones(16, 1))
torch.autograd.grad(loss_of(one), list(one.parameters()), create_graph=True)
""",
    )
    said = list(recorded.facts["not_recorded"].values())
    names = ["several models", "weights of its own", "differentiated again"]
    assert [any(name in line for line in said) for name in names] == [True] * 3, said
    assert all("keras_repro.record.cost" in line for line in said)


def test_watching_changes_no_bit(scripts):
    changes_no_bit(scripts, "torch", TRAINED + "digest(net)\n")


def test_what_is_weighed_is_no_loss(scripts):
    body = """
import torch
model = dense(1)
for weighed in (False, True):
    loss = ((model(torch.from_numpy(x)) - torch.from_numpy(y)) ** 2).mean()
    if weighed:
        loss.backward(torch.tensor(0.3))
    else:
        loss.backward()
        keep("costs/train", loss.detach())
"""
    record(scripts, "torch", body)


SCALED = (
    TORCH
    + """
model = dense(4, 1)
first(model)
ours = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=3.0)
theirs = torch.optim.SGD(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=3.0)
off = torch.amp.GradScaler("cpu", enabled=False)
for step in range(3):
    model.zero_grad()
    loss = loss_of(model)
    ours.scale_loss(loss).backward()
    with torch.no_grad():
        ours.apply([each.value.grad for each in model.weights], model.weights)
    keep("costs/train", loss)
    for by in (scaler, off):
        theirs.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(x)
        loss = torch.nn.functional.mse_loss(outputs.float(), y)
        by.scale(loss).backward()
        by.step(theirs)
        by.update()
        keep("costs/train", loss)
    losses = [loss_of(model, x[:8], y[:8]), loss_of(model, x[8:], y[8:])]
    theirs.zero_grad()
    for loss, scaled in zip(losses, scaler.scale(losses)):
        scaled.backward()
        keep("costs/train", loss)
    scaler.step(theirs)
    scaler.update()
digest(model)
"""
)


def test_a_loss_is_what_it_was_before_it_was_scaled(scripts):
    assert record(scripts, "torch", SCALED).facts["not_recorded"] == {}
    changes_no_bit(scripts, "torch", SCALED)
