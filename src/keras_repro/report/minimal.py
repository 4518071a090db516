"""A minimal script for a layer that parts: the layer alone, to run and to paste into a report."""

import io
import json
import re
from typing import Any

import numpy as np

from keras_repro.layers import Finding, LayerParity, Side
from keras_repro.recorder.kernels import FLIPPED
from keras_repro.studies.parity import Pair

SCRIPT = '''"""{title}

{why}

Run it on both, beside {data}: KERAS_BACKEND={reference} python {name}; KERAS_BACKEND={against} ...
"""

import json

import keras
import numpy as np

data = np.load("{data}", allow_pickle=False)
config = json.loads({config!r})
layer = keras.layers.{class_name}.from_config(config)
inputs = [keras.layers.Input(batch_shape=data[f"input{{n}}"].shape) for n in range({inputs})]
model = keras.models.Model(inputs, layer(inputs if {inputs} > 1 else inputs[0]))
weights = [data[f"weight{{n}}"] for n in range({weights})]
{flip}layer.set_weights(weights)
given = [data[f"input{{n}}"] for n in range({inputs})]
{compute}
expected = data["expected"]  # of {reference}
print(keras.backend.backend(), "largest difference:", np.abs(obtained - expected).max())
'''

FLIP = """if keras.backend.backend() == "theano":  # it convolves with the kernel flipped
    for n in range({count}):
        weights[n] = weights[n][(slice(None, None, -1),) * (weights[n].ndim - 2)]
"""

PREDICT = "obtained = model.predict(given if {inputs} > 1 else given[0])"

GRADIENT_2 = """K = keras.backend
total = K.sum(model.output * K.constant(data["weighing"]))
of = ({of})
run = K.function(model.inputs + [K.learning_phase()], K.gradients(total, [of]))
obtained = run(given + [1])[0]{back}"""

GRADIENT_3 = """name = keras.backend.backend()
tensors = [keras.ops.convert_to_tensor(part) for part in given]
variables = [weight.value for weight in layer.trainable_weights]


def total(variables, tensors):
    others = [weight.value for weight in layer.non_trainable_variables]
    result, _ = layer.stateless_call(variables, others, tensors if {inputs} > 1 else tensors[0])
    return keras.ops.sum(result * data["weighing"])


if name == "jax":
    import jax

    gradients = jax.grad(total, argnums=(0, 1))(variables, tensors)
elif name == "torch":
    import torch

    tensors = [part.clone().requires_grad_() for part in tensors]
    weighing = torch.tensor(data["weighing"])
    sum_ = keras.ops.sum(layer(tensors if {inputs} > 1 else tensors[0]) * weighing)
    found = torch.autograd.grad(sum_, variables + tensors, allow_unused=True)
    gradients = found[: len(variables)], found[len(variables) :]
else:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        sum_ = keras.ops.sum(layer(tensors if {inputs} > 1 else tensors[0]) * data["weighing"])
    gradients = tape.gradient(sum_, [variables, tensors])
obtained = keras.ops.convert_to_numpy(gradients[{part}][{index}])"""


def minimal_script(pair: Pair, side: Side, layer: LayerParity, name: str) -> tuple[str, bytes]:
    """Return a script that shows where a layer parts, and the data that lies beside it.

    ``name`` is what both files are called, without their endings.
    """
    finding = layer.parting[0]
    arrays = _data(side, layer, finding)
    inputs = sum(part.startswith("input") for part in arrays)
    values = {
        "title": f"{layer.class_name} parts between {pair.reference.name} and {pair.against.name}.",
        "why": f"Its {finding.label}: {finding.why}.",
        "reference": pair.reference.name,
        "against": pair.against.name,
        "name": f"{name}.py",
        "data": f"{name}.npz",
        "config": json.dumps(layer.config),
        "class_name": layer.class_name,
        "inputs": inputs,
        "weights": sum(part.startswith("weight") and part != "weighing" for part in arrays),
        "flip": _flip(pair, layer),
        "compute": _compute(pair, layer, finding, inputs),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return SCRIPT.format(**values), buffer.getvalue()


def file_name(pair: Pair, layer: LayerParity) -> str:
    """Return the name of a layer's minimal script, without its ending."""
    text = f"{pair.reference.name}-{pair.against.name}-{layer.key.replace('/', '-')}"
    return re.sub(r"[^\w.-]+", "-", text)


def _data(side: Side, layer: LayerParity, finding: Finding) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    prefix, _, rest = layer.key.partition("layers/")
    place = rest.rpartition("/")[0]
    for name, stored in side.arrays.items():
        if name.startswith(f"{layer.key}/input/"):
            arrays[f"input{name.rpartition('/')[2]}"] = stored.load()
        elif name.startswith(f"{prefix}weights/{place}/"):
            arrays[f"weight{name.rpartition('/')[2]}"] = stored.load()
    arrays["expected"] = side.arrays[f"{layer.key}/{finding.kind}/{finding.index}"].load()
    output = side.arrays.get(f"{layer.key}/training/0")
    if finding.kind.endswith("gradient") and output is not None:
        # As the recorder weighs them, so that no two elements cancel.
        weighing = np.random.RandomState(0).uniform(0.5, 1.5, output.shape)
        arrays["weighing"] = weighing.astype(np.float32)
    return arrays


def _flip(pair: Pair, layer: LayerParity) -> str:
    count = FLIPPED.get(layer.class_name, 0)
    backends = (pair.reference.keras_backend, pair.against.keras_backend)
    return FLIP.format(count=count) if count and "theano" in backends else ""


def _compute(pair: Pair, layer: LayerParity, finding: Finding, inputs: int) -> str:
    if not finding.kind.endswith("gradient"):
        return PREDICT.format(inputs=inputs)
    of_weight = finding.kind == "weight_gradient"
    if pair.reference.pins.get("keras", "").startswith("2."):
        what = "layer.trainable_weights" if of_weight else "model.inputs"
        back = ""
        if of_weight and finding.index == 0 and _flip(pair, layer):
            back = (
                '\nif K.backend() == "theano":\n'
                "    obtained = obtained[(slice(None, None, -1),) * (obtained.ndim - 2)]"
            )
        return GRADIENT_2.format(of=f"{what}[{finding.index}]", back=back)
    return GRADIENT_3.format(inputs=inputs, part=0 if of_weight else 1, index=finding.index)
