"""Probe the models of a script for parity: what each layer computes from the same input.

The reference's run keeps the initial weights of each model, in one layout, and what each layer is
given for the first batch. Another run starts from those weights, and computes every layer from
those inputs: so a layer that only passes a difference on has none of its own. What a layer
computes alone is held against what it did in the model, in case a call cannot be made again as it
was. Both compute each layer in float64 too, to tell rounding from a difference of meaning; that
comes when the script has ended, since it changes the framework's default.
"""

from __future__ import annotations

import json
import os
import random
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy

from keras_repro.recorder import contract, kernel_layout
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.parity import randomness
from keras_repro.recorder.watch.weights import walk

REFERENCE = "reference"
INFERENCE, TRAINING = "inference", "training"
PHASES = (INFERENCE, TRAINING)
MOST_BYTES = 1 << 28  # of what is kept of one layer: more is an error, said in its place
NEAR = 1e-4  # of the largest value: what rounding on the way may make of the same data
ROUGHLY = 1e-1  # of the largest value, for layers that compute in 16 bits
HALVES = ("float16", "bfloat16")


class ParityError(Exception):
    """What is to be compared cannot be; the message names the layer and says why."""


class Call(NamedTuple):
    """A layer called once in a model's forward pass.

    ``inputs`` and ``masks`` are its tensors' values, flat, a mask None where there is none, as
    they were before the call; ``rebuild`` makes the arguments of the call from such a list of
    tensors, and ``arguments`` is how they are written, nothing where they cannot be.
    """

    place: str
    layer: Any
    inputs: List[Any]
    masks: List[Any]
    outputs: List[Any]
    rebuild: Any
    arguments: str


class Computed(NamedTuple):
    """What a layer computed: outputs per phase, gradients of its weights and inputs.

    ``problem`` is why there are no gradients, where they cannot be computed.
    """

    outputs: Dict[str, List[Any]]
    weight_gradients: List[Any]
    input_gradients: List[Any]
    problem: str = ""


class Seen(NamedTuple):
    """A model that was probed; ``facts`` gain a loss with the first batch that has targets."""

    model: Any
    facts: Dict[str, Any]


class Later(NamedTuple):
    """A layer to be computed in float64, when the script has ended."""

    facts: Dict[str, Any]
    layer: Any
    rebuild: Any
    inputs: List[Any]
    masks: List[Any]
    weights: List[Any]


class Probe:
    """Probes each model before its first use, and writes what it finds into the run folder."""

    def __init__(self, staging: str, given: Optional[str]) -> None:
        """``given`` is the reference's file, or None where this run is the reference."""
        self._writer = ArrayWriter(os.path.join(staging, contract.PARITY))
        self._facts_file = os.path.join(staging, contract.PARITY_FACTS)
        self._given: Any = None if given is None else numpy.load(given, allow_pickle=False)
        self._models: List[Dict[str, Any]] = []
        self._seen: List[Seen] = []
        self._exchanged: List[Any] = []  # layers that began from the reference's weights
        self._later: List[Later] = []
        self._keras: Any = None
        self._ops: Any = None
        self._randomness = randomness.Randomness()
        self._drawn: Any = None

    def about_to_import(self) -> None:
        """Keep the state of the generators: JAX draws from NumPy's while it is imported."""
        self._drawn = random.getstate(), numpy.random.get_state()

    def watch(self, keras: Any) -> None:
        """Take note of the Keras that was imported, and switch its randomness off."""
        self._keras = keras
        if self._drawn is not None:  # the script is to make the same data on every backend
            random.setstate(self._drawn[0])
            numpy.random.set_state(self._drawn[1])
        if keras.__version__.startswith("2."):
            from keras_repro.recorder.parity import keras2 as ops  # noqa: PLC0415
        else:
            from keras_repro.recorder.parity import keras3 as ops  # type: ignore # noqa: PLC0415
        self._ops = ops
        ops.remember_initial_values(keras)
        self._randomness.switch_off(keras)

    def before(
        self, model: Any, method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any], prefix: str
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Probe a model that is about to be used for the first time; return the arguments for it.

        Raises:
            ParityError: the batch is not the reference's.
        """
        known = next((seen.facts for seen in self._seen if seen.model is model), None)
        if known is not None and ("loss" in known or method.startswith("predict")):
            return args, kwargs
        x, y, args, kwargs = first_batch(method, args, kwargs)
        if known is not None:
            if x is not None and y is not None:
                self._probe_later(model, known, x, y, prefix)
            return args, kwargs
        if x is None:
            raise ParityError("the first batch that %s is given cannot be looked at" % method)
        facts: Dict[str, Any] = {"prefix": prefix, "method": method, "model": model.name}
        facts["calls"] = []
        self._seen.append(Seen(model, facts))
        self._models.append(facts)
        if self._given is not None and prefix + "batch/x/0" not in self._given:
            facts["loss"] = {"problem": "the reference does not use this model"}
            return args, kwargs
        self._ops.build(model, x)
        facts["misfits"], own = self._exchange_weights(model, prefix, facts)
        try:
            x, y = self._exchange_batch(prefix, x, y)
            kept = self._ops.state(model)
            try:
                facts["calls"] = self._probe_layers(model, x, prefix, kept)
                if y is not None:
                    facts["loss"] = self._probe_loss(model, x, y, prefix)
            finally:
                self._ops.restore(model, kept)
        finally:
            _put_back_weights(own)
        return args, kwargs

    def _probe_later(self, model: Any, facts: Dict[str, Any], x: Any, y: Any, prefix: str) -> None:
        """Probe the loss of a model that has predicted before, from the reference's weights."""
        later = prefix + "later/"
        own = [(layer, self._own_weights(layer)) for _, layer in walk(model)]
        try:
            misfits, _ = self._exchange_weights(model, later, {})
            if misfits:
                raise ParityError(misfits[0])
            x, y = self._exchange_batch(later, x, y)
            kept = self._ops.state(model)
            try:
                facts["loss"] = self._probe_loss(model, x, y, prefix)
            finally:
                self._ops.restore(model, kept)
        except ParityError as error:
            facts["loss"] = {"problem": str(error)}
        finally:
            _put_back_weights(own)

    def finish(self) -> None:
        """Compute the layers in float64, and write all that was found. Once, at the end."""
        for number, later in enumerate(self._later):
            inputs = [_wide(value) for value in later.inputs]
            weights = [_wide(value) for value in later.weights]
            try:
                if number == 0:
                    self._ops.use_float64(self._keras)
                self._ops.forget(self._keras)
                wide = in_float64(later.layer)
                computed = self._ops.compute(wide, later.rebuild, inputs, later.masks, weights)
                if computed.problem:
                    later.facts["no_float64"] = "gradients: %s" % computed.problem
                self._write_computed(later.facts["key"] + "/float64", computed)
            except Exception as error:  # nothing of ours may end the run: it is said instead
                later.facts["no_float64"] = one_line(error)
        document: Dict[str, Any] = {"models": self._models}
        document["switched_off"] = self._randomness.found
        if self._keras is not None:
            document["keras"] = self._keras.__version__
            document["backend"] = self._keras.backend.backend()
        self._writer.close()
        with open(self._facts_file, "x", encoding="utf-8") as file:
            json.dump(document, file, indent=1, sort_keys=True)

    def _exchange_weights(
        self, model: Any, prefix: str, facts: Dict[str, Any]
    ) -> Tuple[List[str], List[Tuple[Any, List[Any]]]]:
        """Write the model's weights, or take the reference's: by position and shape.

        Return what does not fit, and the weights to put back when the probe is over: those of
        layers that began from the reference's weights before, or that the script has trained or
        loaded itself. Such a layer goes on from its own. So does one that does not fit: a layer
        before it may tell why.
        """
        flip = kernel_layout.flips(self._keras.backend.backend())
        misfits: List[str] = []
        own: List[Tuple[Any, List[Any]]] = []
        for place, layer in walk(model):
            weights = self._own_weights(layer)
            if not weights:
                continue
            key = "%sweights/%s" % (prefix, place)
            first = not any(layer is known for known in self._exchanged)
            changed = first and self._changed(key, layer)
            if changed:
                facts.setdefault("changed", []).append(place)
            if first:
                self._exchanged.append(layer)
            if self._given is None:
                canonical = kernel_layout.converted(layer, weights) if flip else weights
                for index, weight in enumerate(canonical):
                    self._write("%s/%d" % (key, index), weight)
                continue
            given, problem = self._fitting(key, place, layer, weights)
            if problem:
                misfits.append(problem)
                continue
            given = kernel_layout.converted(layer, given) if flip else given
            if changed or not first:
                own.append((layer, weights))
            if changed and not all(_near(a, b) for a, b in zip(given, weights)):
                facts.setdefault("kept_own", []).append(place)
            layer.set_weights(given)
        for index, variable in enumerate(self._ops.own_variables(model)):
            key = "%sweights/model/%d" % (prefix, index)
            if self._given is None:
                self._write(key, self._ops.value(variable))
            elif key in self._given and prefix.rpartition("later/")[1] == "":
                self._ops.assign(variable, self._given[key])
        return misfits, own

    def _changed(self, key: str, layer: Any) -> bool:
        """Whether the script has changed a layer's weights before, here or on the reference."""
        here = bool(self._ops.changed(layer))
        if self._given is None:
            if here:
                self._write("changed/" + key, numpy.array(True))
            return here
        return here or "changed/" + key in self._given

    def _fitting(
        self, key: str, place: str, layer: Any, weights: List[Any]
    ) -> Tuple[List[Any], str]:
        """Return the reference's weights for a layer, or why they do not fit."""
        start = "layer %s (%s)" % (place, type(layer).__name__)
        given = []
        for index, weight in enumerate(weights):
            name = "%s/%d" % (key, index)
            if name not in self._given:
                return [], "%s has %d weights here, and the reference has %d there" % (
                    *(start, len(weights), index),
                )
            value = self._given[name]
            if value.shape != weight.shape:
                return [], "%s: its weight %d has shape %s, and the reference's %s" % (
                    *(start, index, weight.shape, value.shape),
                )
            given.append(value)
        if "%s/%d" % (key, len(weights)) in self._given:
            return [], "%s has only %d weights here, and the reference has more" % (
                *(start, len(weights)),
            )
        return given, ""

    def _own_weights(self, layer: Any) -> List[Any]:
        return [numpy.array(value) for value in layer.get_weights()]

    def _exchange_batch(self, prefix: str, x: Any, y: Any) -> Tuple[Any, Any]:
        """Write the batch, or return the reference's: another one made it, its rounding is there.

        Raises:
            ParityError: the batch is not the reference's.
        """
        found = []
        for name, value in (("x", x), ("y", y)):
            parts = []
            for index, part in enumerate(_flat(value)):
                key = "%sbatch/%s/%d" % (prefix, name, index)
                array = numpy.asarray(part)
                if self._given is None:
                    self._write(key, array)
                elif key not in self._given:
                    raise ParityError("the first batch has more parts than the reference's")
                elif not _near(self._given[key], array):
                    raise ParityError(
                        "the first batch (%s) is not the reference's: the script makes other data "
                        "on this backend; make them before the model, from a generator of their own"
                        % key
                    )
                else:
                    array = self._given[key]
                parts.append(array)
            found.append(_filled(value, parts))
        return found[0], found[1]

    def _probe_layers(
        self, model: Any, x: Any, prefix: str, kept: List[Any]
    ) -> List[Dict[str, Any]]:
        calls, outputs = self._ops.trace(model, x, False)
        self._ops.restore(model, kept)
        for index, value in enumerate(outputs):
            self._write("%soutput/%d" % (prefix, index), value)
        found = []
        counts: Dict[str, int] = {}
        for call in calls:
            number = counts[call.place] = counts.get(call.place, 0) + 1
            found.append(self._probe_call(call, number, prefix, INFERENCE))
        found += self._probe_training_alone(model, x, prefix, counts, kept)
        return found

    def _probe_training_alone(
        self, model: Any, x: Any, prefix: str, counts: Dict[str, int], kept: List[Any]
    ) -> List[Dict[str, Any]]:
        """Probe the calls that a model makes in training alone."""
        try:
            calls, _ = self._ops.trace(model, x, True)
        except Exception:  # what training wants more may come with the loss: it is said there
            return []
        finally:
            self._ops.restore(model, kept)
        found = []
        more: Dict[str, int] = {}
        for call in calls:
            number = more[call.place] = more.get(call.place, 0) + 1
            if number > counts.get(call.place, 0):
                found.append(self._probe_call(call, number, prefix, TRAINING))
        return found

    def _probe_call(self, call: Call, number: int, prefix: str, phase: str) -> Dict[str, Any]:
        key = "%slayers/%s/%d" % (prefix, call.place, number)
        facts: Dict[str, Any] = {
            "key": key,
            "place": call.place,
            "call": number,
            "phase": phase,
            "name": call.layer.name,
            "class": type(call.layer).__name__,
            "module": type(call.layer).__module__,
            "config": _config(call.layer),
            "dtype": str(getattr(call.layer, "compute_dtype", None) or "float32"),
            "arguments": call.arguments,
            "takes_training": bool(getattr(call.layer, "_call_has_training_arg", False)),
            "trainable": _weight_names(call.layer.trainable_weights),
        }
        for index, value in enumerate(call.outputs):
            self._write("%s/passed/%d" % (key, index), value)
        try:
            inputs, masks = self._exchange_inputs(key, call, facts)
            computed = self._ops.compute(call.layer, call.rebuild, inputs, masks, None)
            if computed.problem:
                facts["no_gradients"] = computed.problem
            self._write_computed(key, computed)
            self._hold_against_the_model(call, phase, inputs, computed, facts)
            weights = self._own_weights(call.layer)
            later = Later(facts, call.layer, call.rebuild, inputs, masks, weights)
            self._later.append(later)
        except ParityError as error:
            facts["problem"] = str(error)
        except Exception as error:  # said in the report, in its layer's line
            facts["problem"] = "cannot be computed by itself: %s" % one_line(error)
        return facts

    def _hold_against_the_model(
        self, call: Call, phase: str, inputs: List[Any], computed: Computed, facts: Dict[str, Any]
    ) -> None:
        """Note how far a layer alone is from what it computed in the model, where it is far."""
        alone: Any = computed.outputs[phase]
        if not all(_same(mine, given) for mine, given in zip(call.inputs, inputs)):
            alone = self._ops.outputs_of(call, phase)
        if alone is None:
            return
        bound = ROUGHLY if facts["dtype"] in HALVES or "mixed" in facts["dtype"] else NEAR
        apart = max([0.0] + [_apart(a, b) for a, b in zip(call.outputs, alone)])
        if len(alone) != len(call.outputs) or not apart <= bound:
            facts["unlike"] = apart

    def _exchange_inputs(
        self, key: str, call: Call, facts: Dict[str, Any]
    ) -> Tuple[List[Any], List[Any]]:
        inputs, masks = [], []
        arrived = 0.0
        for index, (value, mask) in enumerate(zip(call.inputs, call.masks)):
            name, mask_name = "%s/input/%d" % (key, index), "%s/mask/%d" % (key, index)
            if self._given is None:
                self._write(name, value)
                if mask is not None:
                    self._write(mask_name, mask)
                inputs.append(value)
                masks.append(mask)
                continue
            if name not in self._given:
                raise ParityError("the reference does not call this layer so")
            given, given_mask = self._given[name], self._given.get(mask_name)
            arrived = max(arrived, _apart(given, value))
            if not _same_mask(given_mask, mask):
                facts["other_mask"] = True
            inputs.append(given)
            masks.append(given_mask)
        if self._given is not None:
            facts["arrived"] = arrived
        return inputs, masks

    def _probe_loss(self, model: Any, x: Any, y: Any, prefix: str) -> Dict[str, Any]:
        try:
            loss, gradients = self._ops.loss_and_gradients(model, x, y)
        except Exception as error:  # a model that was not compiled, say
            return {"problem": one_line(error)}
        self._write(prefix + "loss", loss)
        names = _gradient_places(model)
        flip = kernel_layout.flips(self._keras.backend.backend())
        found: List[List[Any]] = []
        for (place, layer, index), gradient in zip(names, gradients):
            if gradient is None or [place, index] in found:  # Keras 2 may list a weight twice
                continue
            found.append([place, index])
            alone = [None] * index + [gradient] + [None] * (len(layer.weights) - index - 1)
            if flip:
                alone = kernel_layout.converted(layer, alone)
            self._write("%sgradients/%s/%d" % (prefix, place, index), alone[index])
        return {"gradients": found}

    def _write_computed(self, key: str, computed: Computed) -> None:
        for phase, outputs in computed.outputs.items():
            for index, value in enumerate(outputs):
                self._write("%s/%s/%d" % (key, phase, index), value)
        for name, values in (
            ("weight_gradient", computed.weight_gradients),
            ("input_gradient", computed.input_gradients),
        ):
            for index, value in enumerate(values):
                if value is not None:
                    self._write("%s/%s/%d" % (key, name, index), value)

    def _write(self, key: str, value: Any) -> None:
        array = numpy.asarray(value)
        if array.nbytes > MOST_BYTES:
            raise ParityError("%s has %d bytes, too many to keep" % (key, array.nbytes))
        self._writer.write(key, array)


def in_float64(layer: Any) -> Any:
    """Return a layer of the same configuration that computes in float64; not built yet."""
    return type(layer).from_config(_float64_config(layer.get_config()))


def _float64_config(config: Any) -> Any:
    """Return a configuration with every dtype, and dtype policy of Keras 3, as float64."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return "float64"
        return {
            name: "float64" if name == "dtype" and value == "float32" else _float64_config(value)
            for name, value in config.items()
            if name != "batch_input_shape"  # Keras 2 would make an input of it, in float32
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_float64_config(part) for part in config)
    return config


def written(leaf: Any) -> str:
    """Return an argument that is no tensor as a source, nothing where it has none."""
    plain = leaf is None or isinstance(leaf, (bool, int, float, str))
    return repr(leaf) if plain else ""


def weighing(shape: Tuple[int, ...]) -> Any:
    """Return a fixed weight for each element of an output: no two gradients cancel by symmetry."""
    return numpy.random.RandomState(0).uniform(0.5, 1.5, shape)


def first_batch(
    method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]
) -> Tuple[Any, Any, Tuple[Any, ...], Dict[str, Any]]:
    """Return (x, y) of the first batch that a call of a model's method uses, and its arguments.

    A generator is asked for its first batch, which is put back. ``x`` is None where nothing can
    be looked at without using it up.
    """
    name = "x" if args or "x" in kwargs else "generator"
    x: Any = args[0] if args else kwargs.get(name)
    predicts = method.startswith("predict")  # what follows is then the size of a batch
    y = None if predicts else args[1] if len(args) > 1 else kwargs.get("y")
    if hasattr(x, "__next__"):
        first = next(x)
        again = _put_back(first, x)
        if args:
            args = (again,) + args[1:]
        else:
            kwargs = dict(kwargs, **{name: again})
        x, y = _pair(first, method)
    elif hasattr(x, "__getitem__") and hasattr(x, "__len__") and not _is_arrays(x):
        x, y = _pair(x[0], method)  # a Sequence, a PyDataset
    elif not _is_arrays(x):
        try:
            x, y = _pair(next(iter(x)), method)  # tf.data, a DataLoader
        except TypeError:
            return None, None, args, kwargs
    elif method not in ("train_on_batch", "test_on_batch", "predict_on_batch"):
        size = kwargs.get("batch_size") or _positional_size(method, args) or 32
        x, y = _head(x, size), _head(y, size)
    return _arrays(x), _arrays(y), args, kwargs


def _put_back(first: Any, rest: Any) -> Iterator[Any]:
    """Yield what was taken, then the rest: Keras wants a generator, and no other iterator."""
    yield first
    for batch in rest:  # noqa: UP028 - Python 3.7 to 3.13 alike
        yield batch


def _positional_size(method: str, args: Tuple[Any, ...]) -> Optional[int]:
    place = 1 if method == "predict" else 2
    size = args[place] if len(args) > place else None
    return size if isinstance(size, int) else None


def _is_arrays(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_arrays(part) for part in value)
    if isinstance(value, dict):
        return all(_is_arrays(part) for part in value.values())
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _pair(batch: Any, method: str) -> Tuple[Any, Any]:
    if isinstance(batch, (tuple, list)) and len(batch) > 1 and not method.startswith("predict"):
        return batch[0], batch[1]
    return (batch[0] if isinstance(batch, tuple) else batch), None


def _head(value: Any, size: int) -> Any:
    if isinstance(value, (list, tuple)):
        return [_head(part, size) for part in value]
    if isinstance(value, dict):
        return {name: _head(part, size) for name, part in value.items()}
    return None if value is None else value[:size]


def _arrays(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_arrays(part) for part in value]
    if isinstance(value, dict):
        return {name: _arrays(part) for name, part in value.items()}
    if value is None:
        return None
    return numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _flat(value: Any) -> List[Any]:
    if value is None:
        return []
    if isinstance(value, dict):
        return [value[name] for name in sorted(value)]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _filled(value: Any, parts: List[Any]) -> Any:
    """Return a structure as ``_flat`` took it apart, with other parts."""
    if value is None:
        return None
    if isinstance(value, dict):
        return dict(zip(sorted(value), parts))
    return list(parts) if isinstance(value, (list, tuple)) else parts[0]


def _put_back_weights(own: List[Tuple[Any, List[Any]]]) -> None:
    for layer, weights in own:
        layer.set_weights(weights)


def _same(first: Any, second: Any) -> bool:
    """Whether two arrays are the same, also in where they are no numbers."""
    first, second = numpy.asarray(first), numpy.asarray(second)
    if first.shape != second.shape:
        return False
    equal = first == second
    if first.dtype.kind in "fc" and second.dtype.kind in "fc":
        equal = equal | (numpy.isnan(first) & numpy.isnan(second))
    return bool(numpy.all(equal))


def _near(first: Any, second: Any) -> bool:
    if _same(first, second):
        return True
    floats = first.dtype.kind == "f" and second.dtype.kind == "f"
    return floats and _apart(first, second) <= NEAR


def _apart(first: Any, second: Any) -> float:
    """Return how far two arrays are apart, of the first's largest value; 1e300 for another kind."""
    first, second = numpy.asarray(first), numpy.asarray(second)
    if first.shape != second.shape:
        return 1e300
    if _same(first, second):
        return 0.0
    first, second = first.astype(numpy.float64), second.astype(numpy.float64)
    finite = numpy.isfinite(first)
    if not _same(first[~finite], second[~finite]) or not numpy.all(numpy.isfinite(second[finite])):
        return 1e300
    largest = float(numpy.max(numpy.abs(first[finite]))) or 1.0
    return float(numpy.max(numpy.abs(first[finite] - second[finite]))) / largest


def _same_mask(first: Any, second: Any) -> bool:
    """Whether two masks, or none, hide the same."""
    if first is None or second is None:
        there = second if first is None else first
        return there is None or bool(numpy.all(there))
    return _same(first, second)


def _wide(value: Any) -> Any:
    array = numpy.asarray(value)
    return array.astype(numpy.float64) if array.dtype.kind == "f" else array


def _config(layer: Any) -> Any:
    try:
        return json.loads(json.dumps(layer.get_config(), default=repr))
    except Exception as error:  # a layer of the script's own may have none
        return {"no configuration": one_line(error)}


def _weight_names(weights: List[Any]) -> List[str]:
    """Return the weights' own names, with a number where several have the same."""
    names = [str(weight.name).split("/")[-1].split(":")[0] for weight in weights]
    return [
        "%s %d" % (name, names[: index + 1].count(name)) if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]


def _gradient_places(model: Any) -> List[Tuple[str, Any, int]]:
    """Return (place, layer, index among the layer's weights) of each trainable weight."""
    known: Dict[int, Tuple[str, Any, int]] = {}
    for place, layer in walk(model):
        for index, weight in enumerate(layer.weights):
            known.setdefault(id(weight), (place, layer, index))
    return [
        known.get(id(weight), ("model", model, index))
        for index, weight in enumerate(model.trainable_weights)
    ]


def one_line(error: BaseException) -> str:
    """Return an exception in one line."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error))  # Keras 3 writes in colours
    return ("%s: %s" % (type(error).__name__, " ".join(text.split())))[:300]
