"""A minimal script for a layer that parts: the layer alone, to run and to paste into a report."""

import io
import pprint
import re
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_repro.studies.parity.findings import KINDS, Another, Finding, LayerParity
from keras_repro.studies.parity.recorded import Side, numbers_after
from keras_repro.studies.parity.study import Pair

LONGEST_NAME = 100  # of a file, without its ending; of 255 bytes that a file system takes

HEAD = '''"""{title}

{why}
Run it with each backend, beside its data:

    KERAS_BACKEND={reference} python {name}.py
    KERAS_BACKEND={against} python {name}.py
"""

import keras
import numpy as np

data = np.load("{name}.npz", allow_pickle=False)
config = {config}
{update}layer = keras.layers.{class_name}.from_config(config)
'''

LAST = """difference = np.abs(obtained - data["expected"]).max()
print(keras.backend.backend(), "largest difference:", difference)
"""

LAST_OF_SHAPES = """shapes = obtained.shape, data["expected"].shape
print(keras.backend.backend(), "shapes:", *shapes)
"""

LAST_OF_KINDS = """apart = ~np.isclose(obtained, data["expected"], equal_nan=True)
print(keras.backend.backend(), "elements that differ:", apart.sum())
"""

CALL_3 = """inputs = [keras.ops.convert_to_tensor(data[f"input{{n}}"]) for n in range({inputs})]
layer({arguments})
layer.set_weights([data[f"weight{{n}}"] for n in range({weights})])
"""

MASKED_3 = """

def run({training}):
    for n in {masked}:
        mask = keras.ops.convert_to_tensor(data[f"mask{{n}}"])
        keras.src.backend.set_keras_mask(inputs[n], mask)
    return layer({arguments}{passed_on})


inputs = [keras.ops.convert_to_tensor(data[f"input{{n}}"]) for n in range({inputs})]
run()
layer.set_weights([data[f"weight{{n}}"] for n in range({weights})])
"""

OUTPUT_3 = """obtained = keras.ops.convert_to_numpy(keras.tree.flatten({call})[{index}])
"""

TOTAL_3 = """

def total():
    outputs = keras.tree.flatten({call})
    weighed = [keras.ops.cast(data[f"weighing{{n}}"], outputs[n].dtype) for n in {weighed}]
    return sum(keras.ops.sum(outputs[n] * part) for n, part in zip({weighed}, weighed))


"""

JAX_GRADIENT_3 = """if keras.backend.backend() == "jax":
    import jax

    def of(values, tensors):
        for n, tensor in zip({floats}, tensors):
            inputs[n] = tensor
        with keras.StatelessScope(zip(layer.trainable_variables, values)):
            return total()

    values = [variable.value for variable in layer.trainable_variables]
    gradients = {gradients}(values, [inputs[n] for n in {floats}])
    gradient = gradients[{part}][{place}]
"""

WEIGHT_GRADIENT_3 = """elif keras.backend.backend() == "torch":
    import torch

    gradient = torch.autograd.grad(total(), layer.trainable_variables[{index}].value)[0]
else:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        cost = total()
    gradient = tape.gradient(cost, layer.trainable_variables[{index}].value)
    gradient = tf.convert_to_tensor(gradient)
obtained = keras.ops.convert_to_numpy(gradient)
"""

INPUT_GRADIENT_3 = """elif keras.backend.backend() == "torch":
    import torch

    inputs[{index}] = inputs[{index}].clone().requires_grad_()
    gradient = torch.autograd.grad(total(), inputs[{index}])[0]
else:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs[{index}])
        cost = total()
    gradient = tf.convert_to_tensor(tape.gradient(cost, inputs[{index}]))
obtained = keras.ops.convert_to_numpy(gradient)
"""

CALL_2 = """K = keras.backend
names = [{names}]
given = [data[name] for name in names]
places = [K.placeholder(shape=part.shape, dtype=str(part.dtype)) for part in given]
inputs, masks = places[:{inputs}], places[{inputs}:]
shapes = [(None,) + part.shape[1:] for part in given[:{inputs}]]
layer.build({shapes})
weights = [data["weight%d" % n] for n in range({weights})]
{flip}layer.set_weights(weights)
outputs = layer.call({arguments})
outputs = outputs if isinstance(outputs, list) else [outputs]
run = K.function(places + [K.learning_phase()], [K.identity({wanted})])
obtained = run(given + [{phase}])[0]
"""

TOTAL_2 = """sum([K.sum(outputs[n] * K.constant(data["weighing%d" % n])) for n in {weighed}])"""

FLIP = """if K.backend() == "theano":  # it convolves with the kernel flipped
    for n in range({count}):
        weights[n] = weights[n][(slice(None, None, -1),) * (weights[n].ndim - 2)]
"""

FLIP_BACK = """if K.backend() == "theano":
    obtained = obtained[(slice(None, None, -1),) * (obtained.ndim - 2)]
"""


@dataclass(frozen=True)
class Minimal:
    """A script and the data beside it, or in ``problem`` why there is none."""

    script: str = ""
    data: bytes = b""
    problem: str = ""


def minimal_script(pair: Pair, side: Side, layer: LayerParity, name: str) -> Minimal:
    """Return a script that shows where a layer parts; ``side`` is the reference's.

    ``name`` is what both files are called, without their endings.
    """
    finding = layer.parting[0]
    problem = why_none(pair, layer)
    if problem:
        return Minimal(problem=problem)
    arrays = _data(side, layer, finding)
    head = HEAD.format(
        title=f"{layer.class_name} parts between {pair.reference.name} and {pair.against.name}.",
        why="\n".join(textwrap.wrap(f"Its {finding.label}: {finding.why}.", 90)),
        reference=pair.reference.keras_backend,
        against=pair.against.keras_backend,
        name=name,
        config=_source(layer.config),
        update=_update(pair, layer),
        class_name=layer.class_name,
    )
    body = (
        _keras2(pair, layer, finding, arrays) if _is_old(pair) else _keras3(layer, finding, arrays)
    )
    last = LAST if np.isfinite(arrays["expected"]).all() else LAST_OF_KINDS
    if finding.apart is Another.SHAPE:
        last = LAST_OF_SHAPES
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return Minimal(f"{head}{body}{last}", buffer.getvalue())


def file_names(pair: Pair) -> dict[str, str]:
    """Return the name of each parting layer's minimal script, without its ending, by its key."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for model, layer in pair.parting:
        number = layer.key.rpartition("/")[2]
        again = "" if number == "1" else f"-{number}"
        start = f"{pair.reference.name}-{pair.against.name}-"
        wanted = [f"{start}{of}{layer.name}{again}" for of in ("", model.prefix.replace("/", "-"))]
        texts = [re.sub(r"[^\w.-]+", "-", text)[:LONGEST_NAME] for text in wanted]
        texts += [f"{texts[1]}-{copy}" for copy in range(2, len(taken) + 3)]
        # Some file systems fold case.
        names[layer.key] = next(text for text in texts if text.lower() not in taken)
        taken.add(names[layer.key].lower())
    return names


def why_none(pair: Pair, layer: LayerParity) -> str:
    """Return why no script shows where a layer parts, or nothing."""
    finding = layer.parting[0]
    if finding.kind not in KINDS:
        return "it shows only in the model, not in the layer alone"
    if _is_old(pair) != pair.against.pins.get("keras", "").startswith("2."):
        return "the two are of different generations of Keras, whose layers are made differently"
    if not layer.module.startswith("keras."):
        return f"{layer.class_name} is the script's own"
    if not isinstance(layer.config, dict) or _is_the_scripts(layer.config):
        return "its configuration holds what only the script defines"
    if not layer.arguments:
        return "its call has arguments that cannot be written down"
    if finding.apart is None:
        return "only one of the two computes it"
    if layer.config.get("stateful"):
        return "it keeps a state from call to call"
    if "theano" in _keras_backends(pair) and layer.flipped is None:
        return "it wraps several convolutions, whose kernels Theano flips"
    return ""


def _is_the_scripts(config: Any) -> bool:
    """Whether a layer's configuration names a function or class that is not Keras'."""
    if isinstance(config, dict):
        if config.get("class_name") in ("__lambda__", "function", "Lambda"):
            return True
        own = config.get("registered_name")
        return own is not None or any(map(_is_the_scripts, config.values()))
    if isinstance(config, list):
        return any(map(_is_the_scripts, config))
    return isinstance(config, str) and config.startswith("<") and config.endswith(">")


def _keras_backends(pair: Pair) -> tuple[str, str]:
    return pair.reference.keras_backend, pair.against.keras_backend


def _is_old(pair: Pair) -> bool:
    return pair.reference.pins.get("keras", "").startswith("2.")


def _source(config: Any) -> str:
    """Return a value as a source, over several lines where it is long."""
    text = pprint.pformat(config, width=90, compact=True)
    if "\n" not in text:
        return text
    return f"{text[0]}\n    {textwrap.indent(text[1:-1], '   ').lstrip()},\n{text[-1]}"


def _update(pair: Pair, layer: LayerParity) -> str:
    """Return what gives the other side its own configuration, where that is another one."""
    mine, other = layer.config, layer.config_against
    if not isinstance(other, dict):
        return ""
    changed = {
        name: value
        for name, value in other.items()
        if name != "name" and (name not in mine or mine[name] != value)
    }
    if not changed:
        return ""
    return (
        f'if keras.backend.backend() == "{pair.against.keras_backend}":  # so the script has it\n'
        f"    config.update({textwrap.indent(_source(changed), '    ').lstrip()})\n"
    )


def _data(side: Side, layer: LayerParity, finding: Finding) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    prefix, _, rest = layer.key.partition("layers/")
    starts = {
        f"{layer.key}/input/": "input",
        f"{layer.key}/mask/": "mask",
        f"{prefix}weights/{rest.rpartition('/')[0]}/": "weight",
    }
    if finding.kind.endswith("gradient"):
        starts[f"{layer.key}/weighing/"] = "weighing"
    for name, stored in side.arrays.items():
        for start, kind in starts.items():
            if name.startswith(start):
                arrays[f"{kind}{name.removeprefix(start)}"] = stored.load()
    arrays["expected"] = side.arrays[f"{layer.key}/{finding.kind}/{finding.index}"].load()
    return arrays


def _keras3(layer: LayerParity, finding: Finding, arrays: dict[str, Any]) -> str:
    masked = numbers_after(arrays, "mask")
    training = finding.kind != "inference" and layer.takes_training
    values = {
        "inputs": len(numbers_after(arrays, "input")),
        "weights": len(numbers_after(arrays, "weight")),
        "weighed": numbers_after(arrays, "weighing"),
        "arguments": layer.arguments,
        "masked": masked,
        "index": finding.index,
        "training": "training=False" if layer.takes_training else "",
        "passed_on": ", training=training" if layer.takes_training else "",
    }
    if masked:
        call = "run(training=True)" if training else "run()"
    else:
        call = f"layer({layer.arguments}{', training=True' if training else ''})"
    parts = [MASKED_3 if masked else CALL_3]
    if finding.kind.endswith("gradient"):
        of_weight = finding.kind == "weight_gradient"
        parts += [TOTAL_3, JAX_GRADIENT_3, WEIGHT_GRADIENT_3 if of_weight else INPUT_GRADIENT_3]
        floats = [
            n for n in numbers_after(arrays, "input") if arrays[f"input{n}"].dtype.kind == "f"
        ]
        values["floats"] = floats
        values["part"] = 0 if of_weight else 1
        values["place"] = finding.index if of_weight else floats.index(finding.index)
        # All at once, and compiled where the recorder did: else figures are rounded otherwise.
        of = "jax.grad(of, argnums=(0, 1))"
        values["gradients"] = f"jax.jit({of})" if layer.compiled else of
    else:
        parts.append(OUTPUT_3)
    return "".join(part.format(call=call, **values) for part in parts)


def _keras2(pair: Pair, layer: LayerParity, finding: Finding, arrays: dict[str, Any]) -> str:
    inputs, masks = numbers_after(arrays, "input"), numbers_after(arrays, "mask")
    arguments = layer.arguments
    if masks:
        several = arguments.startswith("inputs,") or arguments == "inputs"
        each = (f"masks[{masks.index(n)}]" if n in masks else "None" for n in inputs)
        arguments += f", mask=[{', '.join(each)}]" if several else ", mask=masks[0]"
    wanted = f"outputs[{finding.index}]"
    of_weight = finding.kind == "weight_gradient"
    if finding.kind.endswith("gradient"):
        total = TOTAL_2.format(weighed=numbers_after(arrays, "weighing"))
        of = (
            f"layer.trainable_weights[{finding.index}]" if of_weight else f"inputs[{finding.index}]"
        )
        wanted = f"K.gradients(\n    {total}, [{of}])[0]"
    count = (layer.flipped or 0) if "theano" in _keras_backends(pair) else 0
    body = CALL_2.format(
        names=", ".join(
            f'"{kind}{n}"' for kind, ns in (("input", inputs), ("mask", masks)) for n in ns
        ),
        inputs=len(inputs),
        shapes="shapes" if len(inputs) > 1 else "shapes[0]",
        weights=len(numbers_after(arrays, "weight")),
        flip=FLIP.format(count=count) if count else "",
        arguments=arguments,
        wanted=wanted,
        phase=0 if finding.kind == "inference" else 1,
    )
    return body + (FLIP_BACK if of_weight and finding.index < count else "")
