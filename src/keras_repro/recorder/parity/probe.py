"""Probe the models of a script for parity: what each layer computes from the same input.

The reference's run keeps the initial weights of each model, in one layout, and what each layer is
given for the first batch. Another run starts from those weights, and computes every layer from
those inputs: so a layer that only passes a difference on has none of its own. What a layer
computes alone is held against what it did in the model, in case a call cannot be made again as it
was. Both compute each layer in float64 too, to tell rounding from a difference of meaning; that
comes when the script has ended, since it changes the framework's default.

All of it is kept as it was measured, as arrays and figures. Whether a figure is too large is judged
by who reads them.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy

from keras_repro.recorder import contract
from keras_repro.recorder.parity import (
    distance,
    float64,
    keras2,
    keras3,
    kernel_layout,
    randomness,
)
from keras_repro.recorder.parity.calls import INFERENCE, TRAINING, Call, Computed, weighing
from keras_repro.recorder.parity.exchange import Exchange
from keras_repro.recorder.parity.first_batch import first_batch
from keras_repro.recorder.parity.initial_weights import (
    InitialWeights,
    layer_weights,
    put_back,
)
from keras_repro.recorder.parity.layer_facts import layer_facts, trainable_places
from keras_repro.recorder.parity.problems import ParityError, one_line
from keras_repro.recorder.weights import walk


class Seen(NamedTuple):
    """A model that was probed; ``facts`` gain a loss with the first batch that has targets."""

    model: Any
    facts: Dict[str, Any]


class Probe:
    """Probes each model before its first use, and writes what it finds into the run folder."""

    def __init__(self, staging: str, given: Optional[str]) -> None:
        """``given`` is the reference's file, or None where this run is the reference."""
        self._exchange = Exchange(os.path.join(staging, contract.PARITY), given)
        self._facts_file = os.path.join(staging, contract.PARITY_FACTS)
        self._models: List[Dict[str, Any]] = []
        self._seen: List[Seen] = []
        self._later: List[float64.Later] = []
        self._randomness = randomness.Randomness()
        self._drawn: Any = None
        self._keras: Any = None
        self._ops: Any = None
        self._weights: Any = None
        self._flips = False

    def about_to_import(self) -> None:
        """Keep the state of the generators: JAX draws from NumPy's while it is imported."""
        self._drawn = random.getstate(), numpy.random.get_state()

    def watch(self, keras: Any) -> None:
        """Take note of the Keras that was imported, and switch its randomness off."""
        self._keras = keras
        if self._drawn is not None:  # the script is to make the same data on every backend
            random.setstate(self._drawn[0])
            numpy.random.set_state(self._drawn[1])
        self._ops = keras2 if keras.__version__.startswith("2.") else keras3
        self._flips = kernel_layout.flips(keras.backend.backend())
        self._weights = InitialWeights(self._exchange, self._ops, self._flips)
        self._ops.remember_initial_values(keras)
        self._randomness.switch_off(keras)

    def before(
        self, model: Any, method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any], prefix: str
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Probe a model that is about to be used for the first time; return the arguments for it.

        Raises:
            ParityError: the first batch cannot be looked at, or is too large to be kept.
        """
        known = next((seen.facts for seen in self._seen if seen.model is model), None)
        if known is not None and ("loss" in known or method.startswith("predict")):
            return args, kwargs
        x, y, args, kwargs = first_batch(method, args, kwargs)
        if known is not None:
            if x is not None and y is not None:
                known["loss"] = self._probe_later(model, x, y, prefix)
            return args, kwargs
        if x is None:
            raise ParityError("the first batch that %s is given cannot be looked at" % method)
        facts: Dict[str, Any] = {"prefix": prefix, "method": method, "model": model.name}
        facts["calls"] = []
        self._seen.append(Seen(model, facts))
        self._models.append(facts)
        if not self._exchange.is_reference and not self._exchange.kept(prefix + "batch/x/0"):
            facts["loss"] = {"problem": "the reference does not use this model"}
            return args, kwargs
        self._ops.build(model, x)
        begun = self._weights.begin(model, prefix)
        facts.update(misfits=begun.misfits, changed=begun.changed)
        try:
            self._probe(model, x, y, prefix, facts)
        finally:
            put_back(begun.own)
        return args, kwargs

    def finish(self) -> None:
        """Compute the layers in float64, and write all that was found. Once, at the end."""
        for number, later in enumerate(self._later):
            try:
                if number == 0:
                    self._ops.use_float64(self._keras)
                self._ops.forget(self._keras)
                computed = float64.compute(self._ops, later)
                if computed.problem:
                    later.facts["no_float64"] = "gradients: %s" % computed.problem
                self._write_computed(later.facts["key"] + "/float64", computed)
            except Exception as error:  # nothing of ours may end the run: it is said instead
                later.facts["no_float64"] = one_line(error)
        document: Dict[str, Any] = {
            "schema_version": contract.PARITY_SCHEMA,
            "models": self._models,
            "switched_off": self._randomness.found,
        }
        if self._keras is not None:
            document["keras"] = self._keras.__version__
            document["backend"] = self._keras.backend.backend()
        self._exchange.close()
        with open(self._facts_file, "x", encoding="utf-8") as file:
            json.dump(document, file, indent=1, sort_keys=True)

    def _probe(self, model: Any, x: Any, y: Any, prefix: str, facts: Dict[str, Any]) -> None:
        batch = self._exchange.batch(prefix, x, y)
        facts["batch"] = batch.facts
        if not batch.fits:
            return
        kept = self._ops.state(model)
        try:
            facts["calls"] = self._probe_layers(model, batch.x, prefix, kept)
            if y is not None:
                facts["loss"] = self._probe_loss(model, batch.x, batch.y, prefix)
        finally:
            self._ops.restore(model, kept)

    def _probe_later(self, model: Any, x: Any, y: Any, prefix: str) -> Dict[str, Any]:
        """Probe the loss of a model that has predicted before, from the reference's weights."""
        later = prefix + "later/"
        own = [(layer, layer_weights(layer)) for _, layer in walk(model)]
        try:
            begun = self._weights.begin(model, later, again=True)
            if begun.misfits:
                return {"problem": begun.misfits[0]}
            batch = self._exchange.batch(later, x, y)
            if not batch.fits:
                return {"batch": batch.facts}
            kept = self._ops.state(model)
            try:
                loss = self._probe_loss(model, batch.x, batch.y, prefix)
                return dict(loss, batch=batch.facts)
            finally:
                self._ops.restore(model, kept)
        except ParityError as error:
            return {"problem": str(error)}
        finally:
            put_back(own)

    def _probe_layers(
        self, model: Any, x: Any, prefix: str, kept: List[Any]
    ) -> List[Dict[str, Any]]:
        calls, outputs = self._ops.trace(model, x, False)
        self._ops.restore(model, kept)
        for index, value in enumerate(outputs):
            self._exchange.write("%soutput/%d" % (prefix, index), value)
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
        facts = layer_facts(call, key, number, phase)
        for index, value in enumerate(call.outputs):
            self._exchange.write("%s/passed/%d" % (key, index), value)
        try:
            inputs, masks, arrived = self._exchange.inputs(key, call)
            facts.update(arrived)
            computed = self._ops.compute(call.layer, call.rebuild, inputs, masks, None)
            if computed.problem:
                facts["no_gradients"] = computed.problem
            if computed.compiled:
                facts["compiled"] = True
            self._write_computed(key, computed)
            self._write_weighing(key, computed)
            alone = self._alone(call, phase, inputs, computed)
            if alone is not None:
                facts["alone"] = alone
            weights = layer_weights(call.layer)
            self._later.append(
                float64.Later(facts, call.layer, call.rebuild, inputs, masks, weights)
            )
        except ParityError as error:
            facts["problem"] = str(error)
        except Exception as error:  # said in the report, in its layer's line
            facts["problem"] = "cannot be computed by itself: %s" % one_line(error)
        return facts

    def _alone(
        self, call: Call, phase: str, inputs: List[Any], computed: Computed
    ) -> Optional[distance.Apart]:
        """Return how far a layer alone is from what it computed in the model; None: not known."""
        alone: Any = computed.outputs[phase]
        if not all(distance.same(mine, given) for mine, given in zip(call.inputs, inputs)):
            alone = self._ops.outputs_of(call, phase)
        if alone is None:
            return None
        if len(alone) != len(call.outputs):
            return contract.ANOTHER_SHAPE
        return distance.furthest(distance.apart(a, b) for a, b in zip(call.outputs, alone))

    def _probe_loss(self, model: Any, x: Any, y: Any, prefix: str) -> Dict[str, Any]:
        try:
            loss, gradients = self._ops.loss_and_gradients(model, x, y)
        except Exception as error:  # a model that was not compiled, say
            return {"problem": one_line(error)}
        self._exchange.write(prefix + "loss", loss)
        found: List[List[Any]] = []
        for (place, layer, index), gradient in zip(trainable_places(model), gradients):
            if gradient is None or [place, index] in found:  # Keras 2 may list a weight twice
                continue
            found.append([place, index])
            alone = [None] * index + [gradient] + [None] * (len(layer.weights) - index - 1)
            if self._flips:
                alone = kernel_layout.converted(layer, alone)
            self._exchange.write("%sgradients/%s/%d" % (prefix, place, index), alone[index])
        return {"gradients": found}

    def _write_computed(self, key: str, computed: Computed) -> None:
        for phase, outputs in computed.outputs.items():
            for index, value in enumerate(outputs):
                self._exchange.write("%s/%s/%d" % (key, phase, index), value)
        for name, values in (
            ("weight_gradient", computed.weight_gradients),
            ("input_gradient", computed.input_gradients),
        ):
            for index, value in enumerate(values):
                if value is not None:
                    self._exchange.write("%s/%s/%d" % (key, name, index), value)

    def _write_weighing(self, key: str, computed: Computed) -> None:
        """Have the reference keep what gradients are of, for who computes the layer again."""
        for index, value in enumerate(computed.outputs[TRAINING]):
            if self._exchange.is_reference and value.dtype.kind == "f":
                weights = weighing(value.shape).astype(numpy.float32)
                self._exchange.write("%s/weighing/%d" % (key, index), weights)
