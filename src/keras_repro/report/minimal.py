"""A minimal script for a layer that parts: the layer alone, to run and to paste into a report."""

import io
import pprint
import re
import textwrap
from typing import Any

import numpy as np

from keras_repro.layers import Finding, LayerParity, Side
from keras_repro.recorder.kernels import FLIPPED
from keras_repro.recorder.parity import weighing
from keras_repro.studies.parity import Pair

SCRIPT = '''"""{title}

{why}
Run it with each backend, beside its data:

    KERAS_BACKEND={reference} python {name}.py
    KERAS_BACKEND={against} python {name}.py
"""

import keras
import numpy as np

data = np.load("{name}.npz", allow_pickle=False)
{own}layer = {class_name}.from_config(
{config}
)
{model}
weights = [{weights}]
{flip}layer.set_weights(weights)
{compute}
print(keras.backend.backend(), "largest difference:", np.abs(obtained - data["expected"]).max())
'''

FLIP = """if keras.backend.backend() == "theano":  # it convolves with the kernel flipped
    for n in range({count}):
        weights[n] = weights[n][(slice(None, None, -1),) * (weights[n].ndim - 2)]
"""

PREDICT = "obtained = model.predict({given})"

GRADIENT_2 = """K = keras.backend
total = K.sum(model.output * K.constant(data["weighing"]))
run = K.function(model.inputs + [K.learning_phase()], K.gradients(total, [{of}]))
obtained = run([{listed}, 1])[0]{back}"""

GRADIENT_3 = """tensors = [keras.ops.convert_to_tensor(part) for part in [{listed}]]
variables = [weight.value for weight in layer.trainable_weights]
mode = {{"training": True}} if layer._call_has_training_arg else {{}}
name = keras.backend.backend()
if name == "jax":
    import jax

    def total(variables, tensors):
        others = [weight.value for weight in layer.non_trainable_variables]
        result, _ = layer.stateless_call(variables, others, {called}, **mode)
        return keras.ops.sum(result * data["weighing"])

    gradients = jax.grad(total, argnums=(0, 1))(variables, tensors)
elif name == "torch":
    import torch

    tensors = [part.clone().requires_grad_() for part in tensors]
    total = keras.ops.sum(layer({called}, **mode) * torch.tensor(data["weighing"]))
    found = torch.autograd.grad(total, variables + tensors, allow_unused=True)
    gradients = found[: len(variables)], found[len(variables) :]
else:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = keras.ops.sum(layer({called}, **mode) * data["weighing"])
    gradients = tape.gradient(total, [variables, tensors])
obtained = keras.ops.convert_to_numpy(gradients[{part}][{index}])"""


def minimal_script(pair: Pair, side: Side, layer: LayerParity, name: str) -> tuple[str, bytes]:
    """Return a script that shows where a layer parts, and the data that lies beside it.

    ``name`` is what both files are called, without their endings.
    """
    finding = layer.parting[0]
    own = not layer.module.startswith("keras.")
    arrays = _data(side, layer, finding)
    inputs = sorted(part for part in arrays if part.startswith("input"))
    weights = sorted((p for p in arrays if re.fullmatch(r"weight\d+", p)), key=_number)
    values = {
        "title": f"{layer.class_name} parts between {pair.reference.name} and {pair.against.name}.",
        "why": "\n".join(textwrap.wrap(f"Its {finding.label}: {finding.why}.", 90)),
        "reference": pair.reference.keras_backend,
        "against": pair.against.keras_backend,
        "name": name,
        "config": textwrap.indent(pprint.pformat(layer.config, width=96, compact=True), "    "),
        "class_name": layer.class_name if own else f"keras.layers.{layer.class_name}",
        "own": f"# {layer.class_name} is the script's own: define or import it here.\n"
        if own
        else "",
        "model": _model(inputs),
        "weights": ", ".join(f'data["{part}"]' for part in weights),
        "flip": _flip(pair, layer),
        "compute": _compute(pair, layer, finding, inputs),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return SCRIPT.format(**values), buffer.getvalue()


def file_name(pair: Pair, layer: LayerParity) -> str:
    """Return the name of a layer's minimal script, without its ending."""
    number = layer.key.rpartition("/")[2]
    again = "" if number == "1" else f"-{number}"
    text = f"{pair.reference.name}-{pair.against.name}-{layer.name}{again}"
    return re.sub(r"[^\w.-]+", "-", text)


def _number(part: str) -> int:
    return int(part.removeprefix("weight"))


def _model(inputs: list[str]) -> str:
    """Return the lines that make a model of the layer alone."""
    if len(inputs) == 1:
        first = f'inputs = keras.layers.Input(batch_shape=data["{inputs[0]}"].shape)'
    else:
        shapes = ", ".join(f'data["{part}"].shape' for part in inputs)
        first = f"inputs = [keras.layers.Input(batch_shape=shape) for shape in ({shapes})]"
    return f"{first}\nmodel = keras.models.Model(inputs, layer(inputs))"


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
        arrays["weighing"] = weighing(output.shape).astype(np.float32)
    return arrays


def _flip(pair: Pair, layer: LayerParity) -> str:
    count = FLIPPED.get(layer.class_name, 0)
    backends = (pair.reference.keras_backend, pair.against.keras_backend)
    return FLIP.format(count=count) if count and "theano" in backends else ""


def _compute(pair: Pair, layer: LayerParity, finding: Finding, inputs: list[str]) -> str:
    listed = ", ".join(f'data["{part}"]' for part in inputs)
    if not finding.kind.endswith("gradient"):
        return PREDICT.format(given=listed if len(inputs) == 1 else f"[{listed}]")
    of_weight = finding.kind == "weight_gradient"
    if pair.reference.pins.get("keras", "").startswith("2."):
        what = "layer.trainable_weights" if of_weight else "model.inputs"
        back = ""
        if of_weight and finding.index == 0 and _flip(pair, layer):
            back = (
                '\nif K.backend() == "theano":\n'
                "    obtained = obtained[(slice(None, None, -1),) * (obtained.ndim - 2)]"
            )
        return GRADIENT_2.format(of=f"{what}[{finding.index}]", listed=listed, back=back)
    called = "tensors[0]" if len(inputs) == 1 else "tensors"
    part = 0 if of_weight else 1
    return GRADIENT_3.format(listed=listed, called=called, part=part, index=finding.index)
