"""Watch where Keras is given weights beside those of its variables, and where it makes new ones."""

from __future__ import annotations

import functools
from typing import Any, List, Tuple

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.handed import LOST
from keras_repro.recorder.watch.loops.jax_frames import Stack
from keras_repro.recorder.watch.loops.jax_own import Careful


class Weights:
    """Tells the frames of a stack which variables stand for what, and keeps the last values."""

    def __init__(self, capture: Capture, stack: Stack, tracer: Any) -> None:
        self._running = capture.running
        self._models = capture.models
        self._handed = capture.models.handed
        self._careful = Careful(capture)
        self._stack = stack
        self._tracer = tracer

    def watch(self, keras: Any) -> None:
        """Watch a Keras 3 on JAX."""
        self._watch_scope(keras.StatelessScope)
        self._watch_stateless_call(keras.layers.Layer, keras.Model)
        self._watch_stateless_apply(keras.optimizers.Optimizer)
        self._watch_assign(keras.Variable)

    def pair(self, variable: Any, value: Any, model: Any) -> None:
        """Take note of what stands for a weight where a model is called."""
        if not self._models.knows(variable):
            return
        value = self._stack.pair(variable, value, model)
        if value is variable:
            self._handed.written(variable)
        elif value is not None:
            # A NumPy array may be changed; a tracer has no value.
            known = hasattr(value, "is_deleted") and not isinstance(value, self._tracer)
            self._handed.keep([self._handed.key(variable)], [value if known else LOST])

    def new(self, variable: Any, value: Any) -> None:
        """Take note of a new value of a weight that a part of a step has made."""
        if not self._models.knows(variable):
            return
        if self._stack.frames:
            self._stack.frames[-1].new[id(variable)] = (variable, value)
        elif not self._running.in_keras and not isinstance(value, self._tracer):
            self._handed.keep([self._handed.key(variable)], [value])

    def lose(self, variables: List[Any]) -> None:
        """Take note that what these variables are now is not known."""
        if not self._running.in_keras:
            self._handed.keep(map(self._handed.key, variables), [LOST] * len(variables))

    def _watch_scope(self, scope_class: Any) -> None:
        initialize = scope_class.__init__

        @functools.wraps(initialize)
        def call(scope: Any, state_mapping: Any = None, *args: Any, **kwargs: Any) -> None:
            if self._stack.frames and state_mapping:
                state_mapping = list(state_mapping)
                self._careful.do(call, self._pairs, state_mapping)
            initialize(scope, state_mapping, *args, **kwargs)

        scope_class.__init__ = call

    def _pairs(self, mapping: List[Tuple[Any, Any]]) -> None:
        for variable, value in mapping:
            self.pair(variable, value, self._stack.model)

    def _watch_stateless_call(self, layer_class: Any, model_class: Any) -> None:
        stateless_call = layer_class.stateless_call
        stack = self._stack

        @functools.wraps(stateless_call)
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if not stack.frames:
                return stateless_call(layer, *args, **kwargs)
            outer = stack.model
            if outer is None and isinstance(layer, model_class):
                stack.model = layer
            try:
                result = stateless_call(layer, *args, **kwargs)
            finally:
                stack.model = outer
            self._careful.do(layer.call, self._news, layer.non_trainable_variables, result[1])
            return result

        layer_class.stateless_call = call

    def _watch_stateless_apply(self, optimizer_class: Any) -> None:
        stateless_apply = optimizer_class.stateless_apply

        @functools.wraps(stateless_apply)
        def call(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            result = stateless_apply(optimizer, *args, **kwargs)
            self._careful.do(call, self._news, optimizer._trainable_variables, result[0])
            return result

        optimizer_class.stateless_apply = call

    def _news(self, variables: List[Any], values: List[Any]) -> None:
        for variable, value in zip(variables, values):
            self.new(variable, value)

    def _watch_assign(self, variable_class: Any) -> None:
        assign = variable_class.assign

        @functools.wraps(assign)
        def call(variable: Any, value: Any) -> Any:
            before = variable._value
            result = assign(variable, value)
            frames = self._stack.frames
            traced = frames and isinstance(value, self._tracer)
            if variable._value is before:  # a scope has taken it; of a layer's own there are more
                traced = traced and frames[-1].has_input(value)
            elif not isinstance(variable._value, self._tracer):
                self._handed.written(variable)
            if traced:
                self._careful.do(call, self.pair, variable, value, self._stack.model)
            return result

        variable_class.assign = call
