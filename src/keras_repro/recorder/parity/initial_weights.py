"""Have every run begin from the reference's weights, by the layer's place and the weight's shape.

They are written in one layout, TensorFlow's: see ``kernel_layout``.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy

from keras_repro.recorder.parity import distance, kernel_layout
from keras_repro.recorder.parity.exchange import Exchange
from keras_repro.recorder.weights import walk

Own = List[Tuple[Any, List[Any]]]  # layers, and the weights to put back into them


class Begun(NamedTuple):
    """How a model began from the reference's weights.

    ``misfits`` says in words which layers the reference's do not fit: such a layer goes on from
    its own, and a layer before it may tell why. ``changed`` has for each layer that the script had
    trained or loaded itself, here or on the reference, how far its weights are from the
    reference's. ``own`` is to be put back when the probe is over: the weights of those layers, and
    of layers that another model began with before.
    """

    misfits: List[str]
    changed: List[Dict[str, Any]]
    own: Own


class InitialWeights:
    """Writes the weights of models, or gives them the reference's."""

    def __init__(self, exchange: Exchange, ops: Any, flips: bool) -> None:
        """``ops`` is ``keras2`` or ``keras3``; ``flips`` says that kernels lie flipped here."""
        self._exchange = exchange
        self._ops = ops
        self._flips = flips
        self._begun: List[Any] = []  # layers of the models so far

    def begin(self, model: Any, prefix: str, again: bool = False) -> Begun:
        """Write the model's weights under ``prefix``, or give it the reference's.

        ``again`` says that the model has been used before; what belongs to the model itself, and
        to none of its layers, then stays.
        """
        begun = Begun([], [], [])
        for place, layer in walk(model):
            weights = layer_weights(layer)
            if weights:
                self._begin_layer(layer, weights, place, "%sweights/%s" % (prefix, place), begun)
        for index, variable in enumerate(self._ops.own_variables(model)):
            key = "%sweights/model/%d" % (prefix, index)
            if self._exchange.is_reference:
                self._exchange.write(key, self._ops.value(variable))
            elif self._exchange.kept(key) and not again:
                self._ops.assign(variable, self._exchange.taken(key))
        return begun

    def _begin_layer(
        self, layer: Any, weights: List[Any], place: str, key: str, begun: Begun
    ) -> None:
        first = not any(layer is known for known in self._begun)
        changed = first and self._changed(key, layer)
        if first:
            self._begun.append(layer)
        if self._exchange.is_reference:
            for index, weight in enumerate(self._in_layout(layer, weights)):
                self._exchange.write("%s/%d" % (key, index), weight)
            return
        given, misfit = self._fitting(key, place, layer, weights)
        if misfit:
            begun.misfits.append(misfit)
            return
        given = self._in_layout(layer, given)
        if changed or not first:
            begun.own.append((layer, weights))
        if changed:
            found = [distance.facts(a, b) for a, b in zip(given, weights)]
            begun.changed.append({"place": place, "weights": found})
        layer.set_weights(given)

    def _in_layout(self, layer: Any, weights: List[Any]) -> List[Any]:
        return kernel_layout.converted(layer, weights) if self._flips else weights

    def _changed(self, key: str, layer: Any) -> bool:
        """Whether the script has changed a layer's weights before, here or on the reference."""
        here = bool(self._ops.changed(layer))
        if self._exchange.is_reference:
            if here:
                self._exchange.write("changed/" + key, numpy.array(True))
            return here
        return here or self._exchange.kept("changed/" + key)

    def _fitting(
        self, key: str, place: str, layer: Any, weights: List[Any]
    ) -> Tuple[List[Any], str]:
        """Return the reference's weights for a layer, or why they do not fit."""
        start = "layer %s (%s)" % (place, type(layer).__name__)
        given = []
        for index, weight in enumerate(weights):
            name = "%s/%d" % (key, index)
            if not self._exchange.kept(name):
                return [], "%s has %d weights here, and the reference has %d there" % (
                    *(start, len(weights), index),
                )
            value = self._exchange.taken(name)
            if value.shape != weight.shape:
                return [], "%s: its weight %d has shape %s, and the reference's %s" % (
                    *(start, index, weight.shape, value.shape),
                )
            given.append(value)
        if self._exchange.kept("%s/%d" % (key, len(weights))):
            return [], "%s has only %d weights here, and the reference has more" % (
                *(start, len(weights)),
            )
        return given, ""


def layer_weights(layer: Any) -> List[Any]:
    """Return copies of a layer's weights: some frameworks give windows on what they train."""
    return [numpy.array(value) for value in layer.get_weights()]


def put_back(own: Own) -> None:
    """Give layers their own weights again."""
    for layer, weights in own:
        layer.set_weights(weights)
